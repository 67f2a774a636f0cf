/** What must hold of jobs that are tried again, and of clusters that are made anew. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

export function watchRetries(sim: Sim): void {
  sim.db.observers.push((_, written) => {
    for (const one of written) {
      if (one.after?.type === "job") checkJob(sim, one);
      if (one.after?.type === "cluster") checkCluster(sim, one);
    }
  });
}

/** I21: a job is tried no more often than it asked for, for what it asked for, and never when somebody has cancelled it. */
function checkJob(sim: Sim, { before, after }: Written): void {
  const job = after?.data as unknown as Job.Job;
  const was = before?.data as unknown as Job.Job | undefined;
  const most = (job.retry?.max ?? 0) + 1;
  if (job.attempts > most) sim.violate("I21", `job ${job.id} is tried ${job.attempts} times, of ${most}`);
  if (job.state === "recovering" && was?.state !== "recovering") {
    const isCovered = "failure" in job && job.failure?.code !== "cancelled" && job.retry !== undefined;
    if (was?.state === "cancelling" || !isCovered)
      sim.violate("I21", `job ${job.id} was ${was?.state}, and is to be tried again: ${JSON.stringify(job)}`);
  }
  checkItem(sim, job);
}

/** I21: whoever looks at a cluster sees the jobs that will be tried again, and no others. */
function checkItem(sim: Sim, { workspace, clusterId, id, state }: Job.Job): void {
  const item = sim.db.get(Keys.recovering(workspace, clusterId, id));
  if ((item !== undefined) !== (state === "recovering"))
    sim.violate(
      "I21",
      `job ${id} is ${state}, and ${item ? "stands" : "does not stand"} among those that will be tried`,
    );
}

/** I22: a cluster is made anew for a job that goes on, from nothing, and no more often than that one asked for. */
function checkCluster(sim: Sim, { before, after }: Written): void {
  const cluster = after?.data as unknown as Cluster.Cluster;
  if (before?.data.state !== "draining" || cluster.state !== "requested") return;
  const job = sim.db.get(Keys.job(cluster.workspace, cluster.managedBy ?? ""))?.data as unknown as Job.Job | undefined;
  const why = `cluster ${cluster.id} is made anew`;
  if (job === undefined || !["queued", "recovering"].includes(job.state))
    sim.violate("I22", `${why}; its job ${cluster.managedBy} is ${job?.state}`);
  const left = sim.cloud.boxes.filter(box => box.clusterId === cluster.id && box.state !== "terminated");
  if (left.length > 0) sim.violate("I22", `${why}; ${left.map(box => `${box.id} is ${box.state}`)}`);
  if (cluster.generation !== Number(before.data.generation) + 1)
    sim.violate("I22", `${why}; its machines are generation ${cluster.generation}, after ${before.data.generation}`);
  if (cluster.generation > (job?.retry?.max ?? 0) + 1)
    sim.violate(
      "I22",
      `${why} as generation ${cluster.generation}; its job may be tried ${job?.retry?.max} times more`,
    );
}
