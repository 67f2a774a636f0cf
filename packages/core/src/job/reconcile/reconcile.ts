/** Looks after one job: settles it, steps in when its time is over, and finds out about hosts that have gone silent. */
import * as Actor from "../../actor/actor.ts";
import * as Cluster from "../../cluster/cluster.ts";
import { kick } from "../../host/kick.ts";
import * as Keys from "../../keys.ts";
import type { World } from "../../ports/world.ts";
import { amend, load, type Stored } from "../../record.ts";
import { cancellation } from "../cancel.ts";
import * as Job from "../job.ts";
import { isTooLate, lookAt } from "../queue-time.ts";
import { schedule } from "../schedule.ts";
import { checkAt, expiresAt, type JobRef, rows, settle } from "../settle.ts";
import { look } from "../waiting.ts";
import { lookAtRecovering } from "./recovering.ts";
import { giveUpAll, silence } from "./silent.ts";
import { endTooLate } from "./too-late.ts";

/** How long a host that calls may take to begin its part, and to end it when it was told to, in ms. */
const BEGIN_WITHIN = 900_000;
const END_WITHIN = 900_000;
/** How long it may take when nobody cancelled it, in ms: what it leaves behind is sent first, and may be much. */
const CLOSE_WITHIN = 6 * 3_600_000;

export async function reconcile(world: World, ref: JobRef): Promise<void> {
  const job = await settle(world, ref);
  if (job === undefined || Job.isOver(job)) return;
  if (Job.isWaiting(job)) return look(world, ref);
  if (Job.isPlaced(job)) return lookAfter(world, job);
  if (job.state === "recovering") return lookAtRecovering(world, job);
  await lookAtQueued(world, job);
}

/** A job waits only as long as its cluster lives; while it does, scheduling is tried, and the backstop moved. */
async function lookAtQueued(world: World, job: Stored<Job.Job>): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster === undefined || Cluster.isOver(cluster)) {
    const done = await cancellation(world, Actor.system(job.workspace), job, { message: "its cluster has ended" });
    if (done) await world.table.write(done.writes);
    return;
  }
  const placed = await schedule(world, { workspace: job.workspace, clusterId: job.clusterId });
  const now = world.clock.now();
  if (placed.includes(job.id) || !("dueAt" in job) || job.dueAt > now) return;
  if (isTooLate(job, now)) return endTooLate(world, job, cluster);
  await world.table.write([amend<Job.Job>(Job.noun, job, { dueAt: lookAt(job, now) }).write]);
}

async function lookAfter(world: World, job: Stored<Job.Placed>): Promise<void> {
  await kick(world, job, job.placement);
  const now = world.clock.now();
  if (job.dueAt > now) return;
  const expired = expiresAt(job);
  if (job.verdict === undefined && job.state !== "cancelling" && expired !== undefined && expired <= now)
    return expire(world, job);
  const written = await rows(world, job);
  const ended = new Set(written.filter(row => row.state === "exited" || row.state === "lost").map(row => row.rank));
  const begun = new Set(written.map(row => row.rank));
  const left = job.placement.map((_, rank) => rank).filter(rank => !ended.has(rank));
  const found = await silence(world, job, left);
  const { gone, silent, next } = found;
  const judged = { ...job, endBy: endByOf(job, now) };
  const stuck = left.filter(rank => !gone.includes(rank) && isStuck(judged, begun.has(rank), now));
  // A host that does not call, and that nobody closes, would get the next job as well, and the one after that.
  const causeOf = (rank: number) => (isLate(judged, now) || silent.includes(rank) ? "host_lost" : "start_failed");
  // One that was told to end had its time for that, whatever became of its host.
  const bySilence = (rank: number) => !isLate(judged, now) && silent.includes(rank);
  const doomed = [
    ...gone.map(rank => ({ rank, cause: "host_lost" as const, bySilence: bySilence(rank) })),
    ...stuck.map(rank => ({ rank, cause: causeOf(rank), bySilence: bySilence(rank) }) as const),
  ];
  const held = await giveUpAll(world, job, doomed, found);
  if (doomed.length > held.length) {
    const after = await settle(world, { workspace: job.workspace, jobId: job.id });
    // Others are still watched: their time goes on.
    if (held.length > 0 && after !== undefined && Job.isPlaced(after) && next !== undefined)
      await world.table.write([amend<Job.Job>(Job.noun, after, next).write]);
    return;
  }
  const patch = { endBy: judged.endBy, ...(next ?? { suspectedAt: undefined, dueAt: checkAt(job, now) }) };
  await world.table.write([amend<Job.Job>(Job.noun, job, patch).write]);
}

/** Until when a job may take that has its verdict; from when somebody first sees that. */
const endByOf = (job: Job.Placed, now: number): number | undefined =>
  job.verdict === undefined ? undefined : (job.endBy ?? now + CLOSE_WITHIN);

/** A host that calls, yet has not begun its part, or does not end it. */
const isStuck = (job: Job.Placed, hasBegun: boolean, now: number): boolean =>
  isLate(job, now) || (job.state !== "cancelling" && !hasBegun && now - job.changedAt > BEGIN_WITHIN);

/** It was to end, and had its time for that. */
function isLate({ state, changedAt, endBy }: Job.Placed, now: number): boolean {
  if (state === "cancelling") return now - changedAt > END_WITHIN;
  return endBy !== undefined && endBy <= now;
}

async function expire(world: World, job: Stored<Job.Placed>): Promise<void> {
  const verdict: Job.Verdict = {
    event: "expire",
    failure: { code: "timed_out", message: `the job ran longer than its ${job.timeout} s` },
  };
  const dueAt = checkAt(job, world.clock.now());
  await world.table.write([amend<Job.Job>(Job.noun, job, { verdict, dueAt }).write]);
}
