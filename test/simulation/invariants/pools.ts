/** What must hold of pools, with every commit. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Member } from "@muster/core/pool/member.ts";
import type { Pool } from "@muster/core/pool/pool.ts";
import { isAlive } from "../host/disk.ts";
import { MINUTE } from "../kernel.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

export function watchPools(sim: Sim): void {
  sim.db.observers.push((_, written) => {
    for (const one of written) checks[(one.after ?? one.before)?.type ?? ""]?.(sim, one, written);
  });
}

const memberOf = (sim: Sim, { workspace, id, pool = "" }: Cluster.Cluster): Member | undefined =>
  sim.db.get(Keys.member(workspace, pool, id))?.data as Member | undefined;

const membersOf = (sim: Sim, { workspace, name }: Pick<Pool, "workspace" | "name">): Member[] =>
  sim.db
    .query({ pk: Keys.pool(workspace, name).pk, prefix: Keys.MEMBER, limit: 1000 })
    .items.map(item => item.data as Member);

/** I26: a cluster that lives is a pool's, with its item, or somebody's; and it comes to be somebody's once, and whole. */
function checkCluster(sim: Sim, { before, after }: Written, written: readonly Written[]): void {
  const was = before?.data as unknown as Cluster.Cluster | undefined;
  const is = after?.data as unknown as Cluster.Cluster;
  if (is.pool !== undefined && !Cluster.isLeaving(is) && memberOf(sim, is) === undefined)
    sim.violate("I26", `cluster ${is.id} is kept by pool ${is.pool}, which does not know it`);
  if (was === undefined || was.pool === is.pool) return;
  if (is.pool !== undefined) sim.violate("I26", `cluster ${is.id} went back to pool ${is.pool}`);
  const items = written.filter(one => one.before?.type === "member" && one.after === undefined);
  const lock = sim.db.get(Keys.clusterName(is.workspace, is.name));
  if (items.length !== 1 || items[0]?.before?.data.clusterId !== is.id)
    sim.violate("I26", `cluster ${is.id} was taken from pool ${was.pool}, which still has it`);
  if (Cluster.isLeaving(is) || lock?.data.clusterId !== is.id)
    sim.violate("I26", `cluster ${is.id} was taken as ${is.state}, and its name is ${lock?.data.clusterId}'s`);
  if (was.name !== is.name && sim.db.get(Keys.clusterName(was.workspace, was.name))?.data.clusterId === is.id)
    sim.violate("I26", `cluster ${is.id} was taken as ${is.name}, and is ${was.name} as well`);
}

/** I27: a pool makes no more than it is to keep. What goes from it is somebody's, or on its way to its end. */
function checkMember(sim: Sim, { before, after }: Written): void {
  const member = (after ?? before)?.data as unknown as Member;
  const cluster = sim.db.get(Keys.cluster(member.workspace, member.clusterId))?.data as unknown as Cluster.Cluster;
  if (after === undefined) {
    if (cluster.pool !== undefined && !Cluster.isLeaving(cluster))
      sim.violate("I27", `cluster ${cluster.id} is ${cluster.state}, and its pool has forgotten it`);
    return;
  }
  const pool = sim.db.get(Keys.pool(member.workspace, member.pool))?.data as unknown as Pool | undefined;
  const count = membersOf(sim, { workspace: member.workspace, name: member.pool }).length;
  if (before === undefined && (pool === undefined || pool.leaving || count > pool.size))
    sim.violate("I27", `pool ${member.pool} keeps ${pool?.size}, and makes member ${count}`);
}

/** I28: with a pool its members go. */
function checkGone(sim: Sim, { before, after }: Written): void {
  if (after !== undefined) return;
  const pool = before?.data as unknown as Pool;
  const clusters = [...sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  const left = clusters.filter(
    one => one.workspace === pool.workspace && one.pool === pool.name && !Cluster.isLeaving(one),
  );
  if (left.length + membersOf(sim, pool).length > 0)
    sim.violate("I28", `pool ${pool.name} is gone; ${left.map(one => `${one.id} is ${one.state}`)}`);
}

/** I29: on a cluster that a pool keeps, nothing runs but what prepares it. */
function checkJob(sim: Sim, { before, after }: Written): void {
  if (before !== undefined || after === undefined) return;
  const { id, workspace, clusterId } = after.data as unknown as Job.Job;
  const cluster = sim.db.get(Keys.cluster(workspace, clusterId))?.data as unknown as Cluster.Cluster;
  if (cluster.pool === undefined || memberOf(sim, cluster)?.jobId === id) return;
  sim.violate("I29", `job ${id} is on cluster ${clusterId}, which pool ${cluster.pool} keeps`);
}

const checks: Readonly<Record<string, (sim: Sim, one: Written, written: readonly Written[]) => void>> = {
  cluster: checkCluster,
  member: checkMember,
  pool: checkGone,
  job: checkJob,
};

/** The longest pause that a pool may make after a failure, in ms. */
const LONGEST_PAUSE = 60 * MINUTE;

/** What it takes beside the pause until the next member is made, and known to be good or spoilt, in ms. */
const ONE_MORE = 5 * MINUTE;

/**
 * Scripts end badly by themselves in any weather, and after each that was to prepare a member its pool pauses, as it should.
 * @returns how long, in ms, the pool that had most of that has waited rightly since this was called; pools wait at the same time
 */
export function watchPauses(sim: Sim): () => number {
  const waits = new Map<string, number>();
  sim.db.observers.push((_, written) => {
    if (!written.some(({ before, after }) => after === undefined && isSpoilt(sim, before?.data, before?.type))) return;
    const pool = written.find(({ after }) => after?.type === "pool")?.after?.data as unknown as Pool | undefined;
    if (pool?.retryAt === undefined || pool.setback === undefined) return;
    const pause = Math.min(LONGEST_PAUSE, pool.retryAt - pool.setback.at);
    waits.set(pool.id, (waits.get(pool.id) ?? 0) + pause + ONE_MORE);
  });
  return () => Math.max(0, ...waits.values());
}

/** Whether that is a member whose setup has failed, as its machines know: what is written of it is not asked. */
function isSpoilt(sim: Sim, data: unknown, type: string | undefined): boolean {
  if (type !== "member") return false;
  const { clusterId, jobId } = data as Member;
  const scripts = sim.cloud.boxes.filter(box => box.clusterId === clusterId).flatMap(box => [...box.scripts.values()]);
  return scripts.some(
    script =>
      script.name.startsWith(`${jobId}/`) &&
      script.endedAt === undefined &&
      !isAlive(script, sim.now) &&
      script.task.exitCode !== 0,
  );
}
