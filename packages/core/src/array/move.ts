/** The one way in which an array changes: its counts, its state by them, and its place in the queue, in one transaction. */
import type { Failure } from "../cluster/machines.ts";
import type { Cost } from "../cost/cost.ts";
import { enqueue, queueKey } from "../job/queue.ts";
import type { Item, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, type Patch, type Stored, type Why } from "../record.ts";
import * as JobArray from "./array.ts";

type Fields = JobArray.JobArray;
type Counts = Pick<
  Fields,
  "next" | "skips" | "started" | "running" | "succeeded" | "failed" | "cancelled" | "timedOut"
>;

interface Details {
  readonly startedAt?: number;
  readonly dueAt?: number;
  readonly round?: number | undefined;
  readonly exitCode?: number;
  readonly failure?: Failure;
  readonly cost?: Cost;
  readonly unbegun?: JobArray.Unbegun;
}

export interface Change {
  /** How its counts are from now on. */
  readonly counts: Partial<Counts>;
  readonly more?: Details;
  /** Where it goes while some of its runs go on. */
  readonly stop?: boolean;
  /** Where it goes when that was the last of it, other than its counts tell. */
  readonly end?: "cancel" | "fail" | "expire";
  readonly why?: Why;
  /** Its place in the queue, where that was read. */
  readonly entry?: Item;
}

export interface Changed {
  readonly next: Stored<Fields>;
  readonly writes: readonly Write[];
}

/** @returns the array as it will be, and all writes that go with it. The caller commits them. */
export async function change(
  world: Basics,
  actor: { readonly id: string },
  array: Stored<Fields>,
  asked: Change,
): Promise<Changed> {
  const counts = settled({ ...array, ...asked.counts }, array.count);
  const event = eventOf(array, counts, asked);
  const ends = event !== undefined && event !== "run" && event !== "stop";
  const outcome = { exitCode: array.exitCode, failure: array.failure, ...asked.more };
  const ended = ends ? { ...summary(array.count, counts, outcome), endedAt: world.clock.now() } : {};
  const patch: Patch<Fields> = { ...asked.more, ...counts, ...ended };
  const moved =
    event === undefined ? amended(array, patch) : advance(world, JobArray.kind, actor, array, event, patch, asked.why);
  return { next: moved.next, writes: [...moved.writes, ...(await place(world, array, moved.next, asked.entry))] };
}

function amended(array: Stored<Fields>, patch: Patch<Fields>): Changed {
  const { next, write } = amend<Fields>(JobArray.noun, array, patch);
  return { next, writes: [write] };
}

/** Where all that is left was cancelled, nothing is left. */
function settled({ next, skips = 0, started, running, ...ends }: Counts, count: number): Counts {
  const { succeeded, failed, cancelled, timedOut } = ends;
  const left = next + skips >= count ? { next: count, skips: undefined } : { next, skips: skips || undefined };
  return { ...left, started, running, succeeded, failed, cancelled, timedOut };
}

function eventOf(array: Fields, counts: Counts, { stop, end }: Change) {
  if (counts.next === array.count && counts.running === 0) return end ?? endOf(array, counts);
  if (stop) return "stop";
  return array.state === "queued" && counts.started > 0 ? "run" : undefined;
}

function endOf(array: Fields, { failed, timedOut, cancelled }: Counts): "succeed" | "fail" | "cancel" {
  if (array.state === "cancelling") return "cancel";
  if (failed + timedOut > 0) return "fail";
  return cancelled > 0 ? "cancel" : "succeed";
}

/** How it ended, and how many of its runs did not end well. */
function summary(
  count: number,
  { failed, timedOut, succeeded }: Counts,
  { exitCode, failure }: { readonly exitCode: number | undefined; readonly failure: Failure | undefined },
): Patch<Fields> {
  const bad = failed + timedOut;
  if (succeeded === count) return { exitCode: 0 };
  if (failure === undefined || bad === 0) return { exitCode };
  return { exitCode, failure: { ...failure, message: `${bad} of ${count} runs did not end well. ${failure.message}` } };
}

/** Its place in the queue stands for its next run: there while that may begin. */
async function place(world: Basics, before: Fields, after: Fields, entry: Item | undefined): Promise<Write[]> {
  const [was, is] = [JobArray.isClaimable(before), JobArray.isClaimable(after)];
  if (was === is) return [];
  if (is) return [enqueue(after, true)];
  const found = entry ?? (await world.table.get(queueKey(before)));
  return found ? [{ remove: queueKey(before), expect: found.version }] : [];
}
