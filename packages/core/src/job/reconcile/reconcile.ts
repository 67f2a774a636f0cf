/** Looks after one job: settles it, steps in when its time is over, and finds out about hosts that have gone silent. */
import * as Actor from "../../actor/actor.ts";
import * as Cluster from "../../cluster/cluster.ts";
import { providerOf } from "../../cluster/reconcile/provider.ts";
import { kick } from "../../host/kick.ts";
import { lastCalls, nextLook, runningHosts, silentOf } from "../../host/silence.ts";
import * as Keys from "../../keys.ts";
import type { World } from "../../ports/world.ts";
import { amend, load, type Stored } from "../../record.ts";
import { cancellation } from "../cancel.ts";
import * as Job from "../job.ts";
import { isTooLate, lookAt } from "../queue-time.ts";
import { schedule } from "../schedule.ts";
import { checkAt, expiresAt, type JobRef, rows, settle } from "../settle.ts";
import { look } from "../waiting.ts";
import { giveUp } from "./give-up.ts";
import { lookAtRecovering } from "./recovering.ts";
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
  const { gone, silent, next } = await silence(world, job, left);
  for (const rank of gone) await giveUp(world, job, rank, "host_lost");
  const judged = { ...job, endBy: endByOf(job, now) };
  const stuck = left.filter(rank => !gone.includes(rank) && isStuck(judged, begun.has(rank), now));
  // A host that does not call, and that nobody closes, would get the next job as well, and the one after that.
  const causeOf = (rank: number) => (isLate(judged, now) || silent.includes(rank) ? "host_lost" : "start_failed");
  for (const rank of stuck) await giveUp(world, job, rank, causeOf(rank));
  if (gone.length + stuck.length > 0) {
    await settle(world, { workspace: job.workspace, jobId: job.id });
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

/** The job's ranks whose hosts are silent, those that will not report any more, and when to look again at the others. */
async function silence(world: World, job: Job.Placed, ranks: readonly number[]) {
  const ref = { workspace: job.workspace, clusterId: job.clusterId };
  const now = world.clock.now();
  const watch = { ...job, from: job.startedAt ?? job.changedAt };
  const calls = await lastCalls(world.table, ref);
  const hostRanks = ranks.flatMap(rank => job.placement[rank] ?? []);
  const look = (running: ReadonlySet<string>) => silentOf(hostRanks, watch, { now, calls, running }, job.clusterId);
  // The provider is asked only when somebody is silent.
  if (look(new Set()).length === 0) return { gone: [], silent: [], next: undefined };
  const found = look(runningHosts(await machinesOf(world, job)));
  const rankOf = (host: { readonly rank: number }) => job.placement.indexOf(host.rank);
  const gone = found.filter(host => host.gone).map(rankOf);
  return { gone, silent: found.map(rankOf), next: nextLook(found, watch, now) };
}

async function machinesOf(world: World, job: Job.Job) {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  return cluster === undefined
    ? []
    : providerOf(world, cluster).observe({ workspace: job.workspace, clusterId: job.clusterId });
}
