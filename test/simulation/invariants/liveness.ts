/** What must come true when the weather has cleared, each within its time. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { deadline, waitsForJobs, watched } from "@muster/core/cluster/idle.ts";
import { UNKNOWN_FOR } from "@muster/core/cluster/reconcile/quiet.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Accepted } from "../clients.ts";
import { MINUTE } from "../kernel.ts";
import type { Sim } from "../sim.ts";
import { isKnown } from "./arrays.ts";
import { keptFor, lastBusy } from "./idle.ts";
import { isWaitingRightly } from "./order.ts";

const REST: readonly Cluster.State[] = ["ready", "stopped", "terminated", "failed"];

/** Clusters between two states, and jobs that should have gone on: what is not yet at rest. */
export function unsettled(sim: Sim): string[] {
  const clusters = [...sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  const jobs = [...sim.db.all("job")].map(item => item.data as unknown as Job.Job);
  const arrays = [...sim.db.all("array")].map(item => item.data as unknown as JobArray.JobArray);
  return [
    ...clusters.filter(cluster => !REST.includes(cluster.state)).map(one => `cluster ${one.id} is ${one.state}`),
    ...jobs.filter(job => !Job.isOver(job) && !mayWait(sim, job)).map(job => `job ${job.id} is ${job.state}`),
    ...arrays.filter(array => !isAtRest(sim, array)).map(array => `array ${array.id} is ${array.state}`),
  ];
}

/** Runs of an array begin and end while there are hosts for them. */
const isAtRest = (sim: Sim, array: JobArray.JobArray): boolean =>
  JobArray.isOver(array) || mayWait(sim, { ...array, state: "queued" });

/** A job waits with good reason while its cluster is stopped, or a machine of it is sick. */
function mayWait(sim: Sim, job: Pick<Job.Job, "workspace" | "clusterId" | "state">): boolean {
  if (job.state === "waiting") return isWaitingRightly(sim, job as Job.Waiting);
  if (job.state !== "queued") return false;
  const cluster = sim.db.get(Keys.cluster(job.workspace, job.clusterId))?.data as unknown as Cluster.Cluster;
  if (cluster.state === "stopped") return true;
  return sim.cloud.boxes.some(box => box.clusterId === job.clusterId && box.isSick);
}

/** How long anything may stay between two states in calm weather, in ms: lost hosts, and calls that may land late, included. */
const LONGEST_MOVE = 60 * MINUTE;

/** I14: what is on its way, and has been for too long. Bad weather does not count: while the cron stands still, nobody looks. */
export function overdue(sim: Sim): string[] {
  const from = sim.clearedAt ?? sim.now;
  const isLate = ({ changedAt }: { readonly changedAt: number }) => sim.now - Math.max(changedAt, from) > LONGEST_MOVE;
  const clusters = [...sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  const jobs = [...sim.db.all("job")].map(item => item.data as unknown as Job.Job);
  return [
    ...clusters.filter(one => !REST.includes(one.state) && isLate(one)).map(one => `cluster ${one.id} is ${one.state}`),
    ...jobs
      .filter(one => (Job.isPlaced(one) || isForgotten(sim, one)) && isLate(one))
      .map(one => `job ${one.id} is ${one.state}`),
  ];
}

/** A job whose pause is over, and that nobody has given its place back. */
const isForgotten = (sim: Sim, job: Job.Job): boolean =>
  job.state === "recovering" && sim.now - job.dueAt > LONGEST_MOVE / 4;

/** How late an idle policy may act, in ms. */
const SLACK = 5 * MINUTE;

/** I16: clusters that nobody uses, and that cost money after their policy should have ended that. */
export function wasteful(sim: Sim): string[] {
  const jobs = [...sim.db.all("job")].map(item => item.data as unknown as Job.Job);
  const clusters = [...sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  return clusters
    .filter(cluster => cluster.state === "ready" && isIdleTooLong(sim, cluster, jobs))
    .map(cluster => `cluster ${cluster.id} is ready, and idle beyond ${JSON.stringify(cluster.idle)}`);
}

function isIdleTooLong(sim: Sim, cluster: Cluster.Cluster, jobs: readonly Job.Job[]): boolean {
  const policy = Cluster.policyOf(cluster);
  const mine = waitsForJobs(policy) ? jobs.filter(job => job.clusterId === cluster.id) : [];
  // Jobs that wait for others, or are held, keep no cluster.
  if (mine.some(job => !Job.isOver(job) && job.state !== "waiting")) return false;
  const arrays = [...sim.db.all("array")].map(item => item.data as unknown as JobArray.JobArray);
  if (waitsForJobs(policy) && arrays.some(array => array.clusterId === cluster.id && !JobArray.isOver(array)))
    return false;
  const since = Math.max(cluster.changedAt, lastBusy(sim, cluster), ...mine.map(job => job.changedAt));
  const endAt = deadline(policy, since);
  const free = endAt === undefined ? undefined : keptFor(sim, cluster, endAt);
  // Hosts that have not said how busy they are may be, for some time.
  const slack = watched(policy) === undefined ? SLACK : SLACK + UNKNOWN_FOR;
  return free !== undefined && sim.now > free + slack;
}

const isOver: Readonly<Record<string, (record: never) => boolean>> = {
  cluster: Cluster.isOver,
  job: Job.isOver,
  array: JobArray.isOver,
};

/** I2: whatever was accepted has come to its end. */
export function unended(sim: Sim): string[] {
  const open = [...sim.db.all("cluster"), ...sim.db.all("job"), ...sim.db.all("array")].filter(
    item => !isOver[item.type]?.(item.data as never),
  );
  return open.map(item => `${item.type} ${item.data.id} is ${item.data.state}`);
}

/** I2: an accepted noun is there, whatever happened since. */
export function checkKept(sim: Sim, accepted: Accepted): void {
  for (const [id, workspace] of accepted.clusters)
    if (!sim.db.get(Keys.cluster(workspace, id))) sim.violate("I2", `accepted cluster ${id} is not there`);
  for (const [id, workspace] of accepted.jobs)
    if (!isKnown(sim, workspace, id)) sim.violate("I2", `accepted job ${id} is not there`);
}
