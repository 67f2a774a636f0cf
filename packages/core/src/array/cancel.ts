/** Cancelling an array, or one of its runs. What has not begun ends at once; what runs is told to, some at a time. */
import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import * as Id from "../id.ts";
import { cancellation } from "../job/cancel.ts";
import { takeAlong } from "../job/end.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { begin, load, type Stored, type Why } from "../record.ts";
import * as JobArray from "./array.ts";
import { type Changed, change } from "./move.ts";

/** How long runs that were told to end may take before somebody looks, in ms. */
export const CANCEL_CHECK = 60_000;

/** How many of the runs that go on are told at a time. */
const TOLD = 50;

type Failure = Cluster.Failure;
type In = Stored<JobArray.JobArray>;

/**
 * Ends what of the array has not begun; one that is cancelled also has those told that have.
 * @returns undefined when there is nothing to end
 */
export async function ceasing(
  world: Basics,
  actor: { readonly id: string },
  array: In,
  how: { readonly end: "cancel" } | { readonly end: "fail" | "expire"; readonly failure: Failure },
  why: Why = {},
): Promise<Changed | undefined> {
  const rest = JobArray.rest(array);
  const isCancel = how.end === "cancel";
  if (JobArray.isOver(array) || array.state === "cancelling" || (rest === 0 && !isCancel)) return undefined;
  const counts = isCancel ? { cancelled: array.cancelled + rest } : { [ends[how.end]]: array[ends[how.end]] + rest };
  const failure = isCancel ? undefined : (array.failure ?? how.failure);
  const unbegun = { state: ended[how.end], at: world.clock.now() };
  const changed = await change(world, actor, array, {
    counts: { ...counts, next: array.count, skips: undefined },
    more: {
      ...(failure && { failure }),
      ...(rest > 0 && { unbegun }),
      ...(isCancel && { dueAt: world.clock.now() + CANCEL_CHECK, round: 0 }),
    },
    stop: isCancel,
    end: how.end,
    why,
  });
  return { ...changed, writes: [...changed.writes, ...(await along(world, actor, array, changed))] };
}

const ends = { fail: "failed", expire: "timedOut" } as const;
const ended = { cancel: "cancelled", fail: "failed", expire: "timed_out" } as const;

async function along(
  world: Basics,
  actor: { readonly id: string },
  array: In,
  { next }: Changed,
): Promise<readonly Write[]> {
  return array.down && JobArray.isOver(next) ? takeAlong(world, actor, array) : [];
}

/** Fails what has not begun of an array that its cluster can never run. @returns whether there was anything to fail. */
export async function failed(
  world: Basics,
  cluster: Stored<Cluster.Cluster>,
  id: string,
  failure: Failure,
): Promise<boolean> {
  const array = await load(world.table, JobArray.noun, Keys.array(cluster.workspace, id));
  // It takes no cluster along that has only not grown.
  const alone = array && { ...array, down: false };
  const actor = Actor.system(cluster.workspace);
  const why = { message: failure.message };
  const done = alone && (await ceasing(world, actor, alone, { end: "fail", failure }, why));
  if (done) await world.table.write([...done.writes, { check: Cluster.noun.key(cluster), expect: cluster.version }]);
  return done !== undefined;
}

/** One run that has not begun: it gets its record, in its last state, and is passed over when its turn comes. */
export async function sparing(
  world: Basics,
  actor: { readonly id: string },
  array: In,
  index: number,
  why: Why = {},
): Promise<{ run: Job.Job; writes: readonly Write[] }> {
  const now = world.clock.now();
  const { version, rest, dueAt, ...known } = JobArray.runOf(array, index, now);
  const run: Job.Job = { ...known, state: "cancelled", endedAt: now, logsComplete: true };
  const counts = { cancelled: array.cancelled + 1, skips: (array.skips ?? 0) + 1 };
  const changed = await change(world, actor, array, { counts });
  const writes = [...begin(world, Job.noun, actor, run, why), ...changed.writes];
  return { run, writes: [...writes, ...(await along(world, actor, array, changed))] };
}

/**
 * Tells the runs of a cancelled array to end, so many at a time.
 * @param round counts from 0
 * @returns whether there may be more
 */
export async function tell(world: Basics, array: JobArray.JobArray, round: number): Promise<boolean> {
  const { placed, waiting } = await goingOn(world, array);
  const end = (round + 1) * TOLD;
  // Those that wait end at once: whoever is told next stands first.
  const told = [...placed.slice(round * TOLD, end), ...waiting.slice(0, TOLD)];
  for (const id of told) await tellOne(world, array.workspace, id);
  return placed.length > end || waiting.length > TOLD;
}

/**
 * Those on hosts, and those that are tried again or are held back meanwhile: from the cluster itself, since an index may not
 * have seen them yet.
 */
async function goingOn(world: Basics, { workspace, clusterId, priority, id }: JobArray.JobArray) {
  const { pk } = Keys.cluster(workspace, clusterId);
  const run = Id.runOf(id, "");
  const places = [
    Keys.recovering(workspace, clusterId, run),
    Keys.waiting(workspace, clusterId, run),
    Keys.queued(workspace, clusterId, priority, run),
  ];
  const waiting: string[] = [];
  // In the order in which a run goes from the one to the other: none is missed.
  for (const { sk } of places) {
    const page = await world.table.query({ pk, prefix: sk, limit: 1000 });
    waiting.push(...page.items.map(item => String(item.data.jobId)));
  }
  const slots = await Slots.get(world.table, workspace, clusterId);
  const busy = slots === undefined ? [] : Slots.busy(slots).map(({ jobId }) => jobId);
  const placed = busy.filter(jobId => jobId.startsWith(run));
  // One that was seen on its way.
  return { placed, waiting: [...new Set(waiting)].filter(jobId => !placed.includes(jobId)) };
}

const tellOne = (world: Basics, workspace: string, id: string): Promise<void> =>
  retrying(async () => {
    const run = await load(world.table, Job.noun, Keys.job(workspace, id));
    const why = { message: "its array was cancelled" };
    const done = run && (await cancellation(world, Actor.system(workspace), run, why));
    if (done) await world.table.write(done.writes);
  });
