/**
 * Working off what a hook was sent: once it is kept, and outside of the request that brought it.
 *
 * Order of events: each rule in its turn; what it launches is launched in the transaction that writes so into the delivery, so
 * whoever is stopped anywhere goes on where it stood. Then what was launched before for the ref is ended, then whoever waits at
 * the forge is told where nothing could be launched, and at last the delivery has its outcome.
 */

import { system } from "../actor/actor.ts";
import { approvalIn, approveByComment } from "../approval/comment.ts";
import { waits } from "../approval/require.ts";
import { isRetryable, MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { type Write, WriteConflict } from "../ports/table.ts";
import type { Outside } from "../ports/world.ts";
import { amend, load, type Stored } from "../record.ts";
import { openFailed, openHeld } from "../report/open.ts";
import * as Delivery from "./delivery.ts";
import type { Facts } from "./facts.ts";
import { forgeOf, originOf } from "./forge.ts";
import * as Hook from "./hook.ts";
import { Moved } from "./launch-rule.ts";
import { look } from "./look.ts";
import { endOlder } from "./older.ts";
import { watch } from "./watch.ts";

type Stood = Stored<Delivery.Delivery>;

interface Looked {
  readonly facts: Facts;
  readonly results: readonly Delivery.Result[];
}

/** What came of it. */
type End = Pick<Delivery.Delivery, "outcome" | "message" | "results">;

/** @throws what is nobody's mistake outside; the delivery stays due, later */
export async function process(world: Outside, ref: { readonly workspace: string; readonly id: string }): Promise<void> {
  const delivery = await Delivery.find(world.table, ref.workspace, ref.id);
  const now = world.clock.now();
  if (delivery?.dueAt === undefined || delivery.outcome !== undefined || delivery.dueAt > now) return;
  try {
    await workOff(world, delivery);
  } catch (error) {
    if (error instanceof Moved || error instanceof WriteConflict) return;
    await later(world, ref, error);
    if (!isRetryable(error)) throw error;
  }
}

async function workOff(world: Outside, delivery: Stood): Promise<void> {
  const hook = await load(world.table, Hook.noun, Keys.hook(delivery.workspace, delivery.hookId));
  const facts = await Delivery.factsOf(world.table, delivery);
  const rules = hook && (await rulesOf(world, hook));
  if (hook === undefined || rules === undefined) return fail(world, delivery, "the hook was removed");
  if (facts === undefined) return fail(world, delivery, "what it said is not kept any more");
  if (typeof rules === "string") return fail(world, delivery, rules);
  if (facts.isPing) {
    await watch(world, hook, facts);
    return finish(world, delivery, { outcome: "skipped", message: "a ping: it was heard", results: [] });
  }
  if (approvalIn(facts) !== undefined) {
    const { message } = await approveByComment(world, hook, facts, await forgeOf(world, hook, facts));
    return finish(world, delivery, { outcome: "skipped", message, results: [] });
  }
  const looked = await look(world, delivery, { hook, rules, facts });
  for (const { replaces } of looked.results) if (replaces) await endOlder(world, system(delivery.workspace), replaces);
  await report(world, hook, delivery, looked);
  await finish(world, delivery, endOf(looked.results), await waiting(world, hook, delivery, looked));
}

/** What is held waits for its approval from the same moment on. @throws Moved when that has come meanwhile */
async function waiting(world: Outside, hook: Hook.Hook, { id }: Stood, { facts, results }: Looked): Promise<Write[]> {
  const origin = originOf(hook, facts);
  if (origin === undefined || !results.some(({ outcome }) => outcome === "held")) return [];
  const write = await waits(world, hook, origin, id);
  if (write === undefined) throw new Moved();
  return [write];
}

/** What was launched stays so. */
async function fail(world: Outside, delivery: Stood, message: string): Promise<void> {
  const { results } = delivery;
  const { outcome } = endOf(results);
  await finish(world, delivery, { outcome: outcome === "launched" ? outcome : "failed", message, results });
}

async function rulesOf(world: Outside, hook: Hook.Hook) {
  try {
    return await Hook.rulesOf(world.table, hook);
  } catch (error) {
    if (error instanceof MusterError && error.code === "invalid_request") return error.message;
    throw error;
  }
}

/** CI must not wait for what never comes. */
async function report(
  world: Outside,
  hook: Hook.Hook,
  { workspace, createdAt: at }: Stood,
  { facts, results }: Looked,
): Promise<void> {
  const origin = originOf(hook, facts);
  if (origin === undefined) return;
  for (const { rule, outcome, message = "" } of results) {
    const about = { workspace, hook, rule, origin, at };
    if (outcome === "failed") await openFailed(world, about, message);
    if (outcome === "held") await openHeld(world, about, message);
  }
}

/** What is said of it all: the best that came of a rule, and why where nothing was launched. */
export function endOf(results: readonly Delivery.Result[]): End & { readonly outcome: Delivery.Outcome } {
  const kinds = Delivery.Outcome.options;
  const outcome = kinds.find(kind => results.some(result => result.outcome === kind)) ?? "skipped";
  if (outcome === "launched") return { outcome, results: [...results] };
  const of = results.filter(result => result.outcome === outcome);
  const [first] = of;
  const message = outcome === "skipped" && of.length !== 1 ? "no rule is for it" : first?.message;
  return { outcome, results: [...results], ...(message !== undefined && { message }) };
}

async function finish(
  world: Outside,
  { workspace, id }: Stood,
  end: End,
  beside: readonly Write[] = [],
): Promise<void> {
  const delivery = await Delivery.find(world.table, workspace, id);
  if (delivery === undefined || delivery.outcome !== undefined) return;
  const known = new Set(end.results.map(({ jobId }) => jobId));
  // Somebody else has launched what failed here: they go on with it, or whoever looks at it next.
  if (delivery.results.some(({ outcome, jobId }) => outcome === "launched" && !known.has(jobId))) throw new Moved();
  const { next, write } = amend<Delivery.Delivery>(Delivery.noun, delivery, {
    ...end,
    ...{ dueAt: undefined, tries: 0, changedAt: world.clock.now() },
  });
  // What nobody asked for is in the log of deliveries, and is no news.
  const events = end.outcome === "skipped" ? [] : [eventOf(world, next)];
  await world.table.write([write, ...events, ...beside]);
}

/** Kept as long as the delivery. */
function eventOf(world: Outside, delivery: Delivery.Delivery): Write {
  const at = world.clock.now();
  const { id, hookId, event, outcome = "skipped", message, results, createdAt } = delivery;
  const jobs = results.flatMap(({ jobId }) => jobId ?? []);
  const happened = {
    ...{ id: Id.create(world.random, "event"), at, subject: id, kind: `hookdelivery.${outcome}` },
    ...(message !== undefined && { message }),
    details: { hookId, event, ...(jobs.length > 0 && { jobs }) },
  };
  const put = Event.draft(Delivery.noun.key(delivery), system(delivery.workspace), happened);
  return { put: { ...put, expiresAt: createdAt + Delivery.KEPT }, expect: "absent" };
}

const MOST_TRIES = 12;
const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 15 * 60_000;

/** What could not be done now is tried again, some two hours long; then it has failed. */
async function later(
  world: Outside,
  { workspace, id }: { workspace: string; id: string },
  error: unknown,
): Promise<void> {
  const delivery = await Delivery.find(world.table, workspace, id);
  if (delivery === undefined || delivery.outcome !== undefined) return;
  const message = error instanceof MusterError ? error.message.slice(0, 400) : "something went wrong inside Muster";
  const tries = delivery.tries + 1;
  if (tries >= MOST_TRIES) return fail(world, delivery, message);
  const now = world.clock.now();
  const asked = error instanceof MusterError ? Number(error.details.retryAt ?? 0) : 0;
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** delivery.tries);
  const dueAt = Math.max(now + pause, Number.isFinite(asked) ? asked : 0);
  await world.table.write([
    amend<Delivery.Delivery>(Delivery.noun, delivery, { tries, dueAt, message, changedAt: now }).write,
  ]);
}
