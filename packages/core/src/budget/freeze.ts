/** Freezing a workspace: nothing begins there any more. Each may be said twice. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Budget from "./budget.ts";

export const Request = z.strictObject({
  frozen: z.boolean().default(true),
  stopAll: z.boolean().default(false).meta({ description: "Stop every cluster that can be stopped" }),
  terminate: z.boolean().default(false).meta({ description: "And end those that cannot" }),
});
export type Request = z.infer<typeof Request>;

export const set = (world: Basics, actor: Actor, request: Request): Promise<Budget.Info> =>
  request.frozen ? freeze(world, actor, request) : unfreeze(world, actor);

type How = Omit<Request, "frozen">;

/** What was asked for before stays asked for. Clusters are stopped by its ring, and by the sweep, which goes on until all have. */
export const freeze = (world: Basics, actor: Actor, { stopAll, terminate }: How): Promise<Budget.Info> =>
  retrying(async () => {
    const now = world.clock.now();
    const budget = await Budget.get(world.table, actor.workspace);
    const old = budget.frozen;
    const stop = (stopAll || terminate || old?.stop) === true;
    const ends = (terminate || old?.terminate) === true;
    const isSame = old !== undefined && stop === (old.stop === true) && ends === (old.terminate === true);
    const frozen = {
      ...{ by: old?.by ?? actor.id, at: old?.at ?? now },
      ...(stop && { stop, dueAt: now }),
      ...(ends && { terminate: ends }),
    };
    const { next, write } = amend(Budget.noun, budget, { frozen });
    const answer = Budget.info(isSame ? budget : next, now);
    await commit(world, actor, isSame ? [] : [write, eventOf(world, actor, "budget.frozen")], answer);
    return answer;
  });

export const unfreeze = (world: Basics, actor: Actor): Promise<Budget.Info> =>
  retrying(async () => {
    const budget = await Budget.get(world.table, actor.workspace);
    const isOpen = budget.frozen === undefined;
    const { next, write } = amend(Budget.noun, budget, { frozen: undefined });
    const answer = Budget.info(next, world.clock.now());
    await commit(world, actor, isOpen ? [] : [write, eventOf(world, actor, "budget.thawed")], answer);
    return answer;
  });

export function eventOf(world: Basics, actor: Actor, kind: string, message?: string): Write {
  const { workspace } = actor;
  const event = { id: `evt_${world.random.ulid()}`, at: world.clock.now(), subject: workspace, kind };
  const put = Event.draft(Keys.budget(workspace), actor, { ...event, ...(message !== undefined && { message }) });
  return { put, expect: "absent" };
}
