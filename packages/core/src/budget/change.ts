/** Reading budgets, and setting them. A ceiling below what is taken ends nothing: it lets nothing more begin. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { rolled } from "../cost/meter.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import { alerts } from "./alert.ts";
import * as Budget from "./budget.ts";

/** @param user whose; absent: the workspace's */
export async function get(
  { table, clock }: Pick<Basics, "table" | "clock">,
  actor: Actor,
  user?: string,
): Promise<Budget.Info> {
  const whole = await Budget.get(table, actor.workspace);
  if (user === undefined) return Budget.info(whole, clock.now());
  return Budget.info(await Budget.get(table, actor.workspace, user), clock.now(), whole);
}

/** @throws MusterError `invalid_request` for what a user's budget does not have. */
export const change = (world: Basics, actor: Actor, request: Budget.Change): Promise<Budget.Info> =>
  retrying(async () => {
    const { user } = request;
    requireWhole(request);
    const whole = await Budget.get(world.table, actor.workspace);
    const budget = user === undefined ? whole : await Budget.get(world.table, actor.workspace, user);
    const patch = Budget.patchOf(request);
    const now = world.clock.now();
    // Only read: months are closed by whoever spends.
    const { meter } = rolled(budget.meter, now);
    const isSameMonth = budget.meter === undefined || budget.meter.month === meter.month;
    const told = isSameMonth ? alerts(world, { ...budget, ...patch, meter }) : { patch: { dueAt: now }, writes: [] };
    const { next, write } = amend(Budget.noun, budget, { ...patch, ...told.patch });
    const answer = Budget.info(next, now, user === undefined ? undefined : whole);
    const { user: _, ...details } = request;
    const what = { subject: user ?? actor.workspace, kind: "budget.set", details };
    const event = Event.happens(world, Keys.budget(actor.workspace), actor, what);
    await commit(world, actor, [write, event, ...told.writes], answer);
    return answer;
  });

function requireWhole({ user, each }: Budget.Change): void {
  if (user === undefined || each === undefined) return;
  throw new MusterError("invalid_request", "the ceiling of each user is the workspace's to say", {
    hint: "leave out the user, or set the user's own ceiling",
  });
}
