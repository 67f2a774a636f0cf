/**
 * Ending the jobs of a cluster that stops or goes away.
 *
 * Gotcha: a job that this version of the code cannot read is logged and left to the newer code that wrote it. It must not
 * keep machines, which cost money, from being ended.
 */
import * as Actor from "../../actor/actor.ts";
import * as JobArray from "../../array/array.ts";
import { ceasing } from "../../array/cancel.ts";
import { retrying } from "../../commit.ts";
import { cancellation } from "../../job/cancel.ts";
import { ending } from "../../job/end.ts";
import * as Job from "../../job/job.ts";
import { recovery, Waiting } from "../../job/recover.ts";
import * as Keys from "../../keys.ts";
import type { ClusterRef } from "../../ports/provider.ts";
import type { Item, Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { amend, load, type Stored, Unreadable } from "../../record.ts";
import type { Failure } from "../cluster.ts";
import * as Slots from "../slots.ts";

/** How long running jobs have to end by themselves, in ms: their agents' grace, and the way home of the logs. */
export const JOB_GRACE = 30_000;

/** Asks the jobs that run on the cluster to end. @returns how many still hold hosts. */
export async function cancelRunning(
  world: World,
  ref: ClusterRef,
  message: string,
  failure?: Failure,
): Promise<number> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  const running = slots === undefined ? [] : Slots.busy(slots);
  for (const { jobId } of running) await readably(world, jobId, () => endOne(world, ref, jobId, message, failure));
  return running.length;
}

/** Ends what waits in the cluster's queue, or is to be tried again: with the failure of its cluster, when that has one. */
export async function cancelQueued(world: World, ref: ClusterRef, message: string, failure?: Failure): Promise<void> {
  for (const prefix of ["Q#", Keys.RECOVERING]) await cancelListed(world, ref, prefix, message, failure);
}

async function cancelListed(
  world: World,
  ref: ClusterRef,
  prefix: string,
  message: string,
  failure: Failure | undefined,
): Promise<void> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ pk, prefix, limit: 100, ...(cursor !== undefined && { cursor }) });
    for (const item of page.items) await endQueued(world, ref, item, message, failure);
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function endQueued(
  world: World,
  ref: ClusterRef,
  item: Item,
  message: string,
  failure: Failure | undefined,
): Promise<void> {
  await readably(world, item.sk, async () => {
    const done = await endOne(world, ref, Waiting.parse(item.data).jobId, message, failure);
    if (!done) await retrying(() => world.table.write([{ remove: item, expect: item.version }]));
  });
}

/** @returns whether there was anything to end. */
function endOne(
  world: World,
  ref: ClusterRef,
  jobId: string,
  message: string,
  failure: Failure | undefined,
): Promise<boolean> {
  return retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(ref.workspace, jobId));
    const arrayId = job ? job.array?.id : jobId;
    const done = arrayId !== undefined && (await endArray(world, ref, arrayId, message, failure));
    if (done && job === undefined) return true;
    const writes = job && (await (failure ? failing(world, job, failure) : cancelling(world, job, message)));
    if (writes) await world.table.write(writes);
    return writes !== undefined;
  });
}

/** What has not begun of an array ends first, so that nothing of it takes the place of a run that ends. */
async function endArray(
  world: World,
  ref: ClusterRef,
  id: string,
  message: string,
  failure: Failure | undefined,
): Promise<boolean> {
  const array = await load(world.table, JobArray.noun, Keys.array(ref.workspace, id));
  if (array === undefined || JobArray.rest(array) === 0) return false;
  const how = failure ? ({ end: "fail", failure } as const) : ({ end: "cancel" } as const);
  const done = await ceasing(world, Actor.system(ref.workspace), array, how, { message: failure?.message ?? message });
  if (done) await world.table.write(done.writes);
  return done !== undefined;
}

async function cancelling(world: World, job: Stored<Job.Job>, message: string): Promise<readonly Write[] | undefined> {
  return (await cancellation(world, Actor.system(job.workspace), job, { message }))?.writes;
}

/** A job that runs is given its verdict, so that its agents end it; one that does not ends at once. */
export async function failing(
  world: World,
  job: Stored<Job.Job>,
  failure: Failure,
): Promise<readonly Write[] | undefined> {
  if (Job.isOver(job) || job.state === "cancelling") return undefined;
  if (!Job.isPlaced(job))
    return (await ending(world, Actor.system(job.workspace), job, "fail", { failure }, { message: failure.message }))
      .writes;
  if (job.verdict !== undefined) return undefined;
  return [amend<Job.Job>(Job.noun, job, { verdict: { event: "fail", failure } }).write];
}

/** Ends the jobs whose hosts are gone for certain, or this try of theirs: nobody is left to report for them. */
export async function closeRunning(world: World, ref: ClusterRef, message: string, failure?: Failure): Promise<void> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  const lost = failure ?? { code: "host_lost", message };
  for (const { jobId } of slots === undefined ? [] : Slots.busy(slots))
    await readably(world, jobId, () => retrying(() => closeOne(world, ref, jobId, lost)));
}

async function closeOne(world: World, ref: ClusterRef, jobId: string, lost: Failure): Promise<void> {
  const job = await load(world.table, Job.noun, Keys.job(ref.workspace, jobId));
  if (job === undefined || !Job.isPlaced(job)) return clearSlot(world, ref, jobId);
  await world.table.write(await closing(world, job, lost));
}

/** The end of a job, or of this try of it, whose hosts are gone for certain. */
export async function closing(world: World, job: Stored<Job.Placed>, lost: Failure): Promise<readonly Write[]> {
  const isCancelled = job.state === "cancelling";
  // What went wrong before its hosts were gone is why it ends.
  const failure = isCancelled ? undefined : (job.verdict?.failure ?? lost);
  const again = await recovery(world, job, job.verdict ?? { event: "fail", failure: lost });
  if (again) return again.writes;
  const { writes } = await ending(
    world,
    Actor.system(job.workspace),
    job,
    isCancelled ? "cancelled" : (job.verdict?.event ?? "fail"),
    { verdict: undefined, logsComplete: false, exitCode: job.verdict?.exitCode, failure },
    { message: failure?.message ?? lost.message },
  );
  return writes;
}

/** A slot that still names a job which holds nothing: freed. */
async function clearSlot(world: World, ref: ClusterRef, jobId: string): Promise<void> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  if (slots) await world.table.write([Slots.release(slots, jobId, world.clock.now()).write]);
}

async function readably(world: World, job: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    world.log.error("a job that cannot be read was left alone", { job, reason: String(error) });
  }
}
