/** recovering → queued, when the pause is over; a job whose cluster has ended meanwhile has nobody to wait for. */
import * as Actor from "../../actor/actor.ts";
import * as Cluster from "../../cluster/cluster.ts";
import { reconcile as reconcileCluster } from "../../cluster/reconcile/reconcile.ts";
import { retrying } from "../../commit.ts";
import * as Keys from "../../keys.ts";
import type { World } from "../../ports/world.ts";
import { load } from "../../record.ts";
import { ending } from "../end.ts";
import * as Job from "../job.ts";
import { requeue } from "../recover.ts";

export async function lookAtRecovering(world: World, job: Job.Job): Promise<void> {
  // Others may have the hosts meanwhile; and what took them may be reason enough to make a managed cluster anew.
  const cluster = await reconcileCluster(world, { workspace: job.workspace, clusterId: job.clusterId });
  if (cluster === undefined || Cluster.isOver(cluster)) return endWithCluster(world, job, cluster);
  await requeue(world, { workspace: job.workspace, jobId: job.id });
}

const endWithCluster = (world: World, { workspace, id }: Job.Job, cluster: Cluster.Cluster | undefined) =>
  retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(workspace, id));
    if (job?.state !== "recovering") return;
    const actor = Actor.system(workspace);
    const failure = cluster?.state === "failed" ? cluster.failure : undefined;
    const { writes } = failure
      ? await ending(world, actor, job, "fail", { failure }, { message: failure.message })
      : await ending(world, actor, job, "cancel", {}, { message: "its cluster has ended" });
    await world.table.write(writes);
  });
