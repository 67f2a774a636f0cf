/** Looks after one job: settles it, steps in when its time is over, and finds out about hosts that have gone silent. */
import * as Actor from "../../actor/actor.ts";
import * as Attempt from "../../attempt/attempt.ts";
import * as Cluster from "../../cluster/cluster.ts";
import { providerOf } from "../../cluster/reconcile/launch.ts";
import * as Slots from "../../cluster/slots.ts";
import { retrying } from "../../commit.ts";
import * as Host from "../../host/host.ts";
import * as Keys from "../../keys.ts";
import type { Machine } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend, load, type Stored } from "../../record.ts";
import { cancellation } from "../cancel.ts";
import * as Job from "../job.ts";
import { schedule } from "../schedule.ts";
import { checkAt, expiresAt, type JobRef, rows, settle } from "../settle.ts";
import { QUEUE_CHECK } from "../submit.ts";

/** Silence that makes a host suspect, in ms: then its machine is looked up. */
export const SUSPECT_AFTER = 300_000;
/** Silence after which a host is given up though its machine runs, in ms. Should it come back, its fence is stale. */
export const LOST_AFTER = 900_000;

export async function reconcile(world: World, ref: JobRef): Promise<void> {
  const job = await settle(world, ref);
  if (job === undefined || Job.isOver(job)) return;
  if (Job.isPlaced(job)) return lookAfter(world, job);
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
  await world.table.write([amend<Job.Job>(Job.noun, job, { dueAt: now + QUEUE_CHECK }).write]);
}

async function lookAfter(world: World, job: Stored<Job.Placed>): Promise<void> {
  await kickHosts(world, job.workspace, job.clusterId, job.placement);
  const now = world.clock.now();
  if (job.dueAt > now) return;
  const expired = expiresAt(job);
  if (job.verdict === undefined && job.state !== "cancelling" && expired !== undefined && expired <= now) {
    const verdict: Job.Verdict = {
      event: "expire",
      failure: { code: "timed_out", message: `the job ran longer than its ${job.timeout} s` },
    };
    await world.table.write([amend<Job.Job>(Job.noun, job, { verdict, dueAt: now + SUSPECT_AFTER }).write]);
    return;
  }
  const lost = await lostRanks(world, job);
  for (const rank of lost) await giveUp(world, job, rank);
  if (lost.length > 0) {
    await settle(world, { workspace: job.workspace, jobId: job.id });
    return;
  }
  await world.table.write([amend<Job.Job>(Job.noun, job, { dueAt: checkAt(job, now) }).write]);
}

/** The job's ranks whose hosts will not report any more, by two kinds of evidence: their silence and their machines. */
async function lostRanks(world: World, job: Job.Placed): Promise<number[]> {
  const ended = new Set(
    (await rows(world, job)).filter(row => row.state === "exited" || row.state === "lost").map(row => row.rank),
  );
  const silences = await Promise.all(job.placement.map(rank => silence(world, job, rank)));
  const suspects = job.placement.flatMap((hostRank, rank) => {
    const ms = silences[rank] ?? 0;
    return !ended.has(rank) && ms > SUSPECT_AFTER ? [{ rank, hostId: Host.idOf(job.clusterId, hostRank), ms }] : [];
  });
  if (suspects.length === 0) return [];
  const machines = await machinesOf(world, job);
  const runs = (hostId: string) => machines.some(machine => machine.hostId === hostId && machine.state === "running");
  return suspects.filter(suspect => suspect.ms > LOST_AFTER || !runs(suspect.hostId)).map(suspect => suspect.rank);
}

/** How long a host has not been heard of since it got the job, in ms. */
async function silence(world: World, job: Job.Placed, hostRank: number): Promise<number> {
  const item = await world.table.get(Keys.pulse(job.workspace, job.clusterId, hostRank));
  const heard = item === undefined ? 0 : Host.Pulse.parse(item.data).at;
  return world.clock.now() - Math.max(heard, job.startedAt ?? job.changedAt);
}

async function machinesOf(world: World, job: Job.Job): Promise<readonly Machine[]> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  return cluster === undefined
    ? []
    : providerOf(world, cluster).observe({ workspace: job.workspace, clusterId: job.clusterId });
}

/** Writes off one node's part, and closes its host to new jobs until it calls again. */
async function giveUp(world: World, job: Job.Placed, rank: number): Promise<void> {
  const hostRank = job.placement[rank];
  if (hostRank === undefined) return;
  await retrying(async () => {
    const key = Keys.attempt(job.workspace, job.id, job.fence, rank);
    const attempt =
      (await load(world.table, Attempt.noun, key)) ??
      Attempt.assigned({ ...job, jobId: job.id, hostId: Host.idOf(job.clusterId, hostRank), rank }, world.clock.now());
    if (Attempt.kind.life.next(attempt.state, "lose") === undefined) return;
    const move = advance(world, Attempt.kind, Actor.system(job.workspace), attempt, "lose", { cause: "host_lost" });
    const slots = await Slots.get(world.table, job.workspace, job.clusterId);
    const hosts = slots?.hosts.map(slot => (slot.rank === hostRank ? { ...slot, up: false } : slot));
    await world.table.write([
      ...move.writes,
      ...(slots && hosts ? [amend(Slots.noun, slots, { hosts }).write] : []),
      ...(await loseHost(world, job, hostRank)),
    ]);
  });
}

async function loseHost(world: World, job: Job.Placed, hostRank: number) {
  const host = await load(world.table, Host.noun, Keys.host(job.workspace, job.clusterId, hostRank));
  return host?.state === "up" ? advance(world, Host.kind, Actor.system(job.workspace), host, "lose").writes : [];
}

/** Makes the agents of these hosts look at once. A lost kick costs one interval. */
export async function kickHosts(
  world: Pick<World, "table" | "providers" | "log">,
  workspace: string,
  clusterId: string,
  ranks: readonly number[],
): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, clusterId));
  const provider = cluster && world.providers.get(cluster.provider);
  if (provider === undefined) return;
  const kicks = ranks.map(rank => provider.kick({ workspace, clusterId, hostId: Host.idOf(clusterId, rank) }));
  for (const kick of await Promise.allSettled(kicks))
    if (kick.status === "rejected") world.log.info("a kick was lost", { reason: String(kick.reason) });
}
