/** What the cloud says of a machine, of its own accord. A hint: what follows is found out anew. */

import * as Cluster from "../cluster/cluster.ts";
import { certainAt } from "../cluster/reconcile/launch.ts";
import { providerOf } from "../cluster/reconcile/provider.ts";
import { reconcile as reconcileCluster } from "../cluster/reconcile/reconcile.ts";
import * as Slots from "../cluster/slots.ts";
import * as Job from "../job/job.ts";
import { giveUp } from "../job/reconcile/give-up.ts";
import { reconcile as reconcileJob } from "../job/reconcile/reconcile.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import type * as Host from "./host.ts";
import { hostOf } from "./machine.ts";
import { type Kind, note } from "./notice.ts";
import { SUSPECT_AFTER } from "./patience.ts";

/**
 * A state that the machine has come to. When it is no longer there, its part in its jobs is over: the cloud has said so twice,
 * by its word and by what it shows.
 * @returns whether it is one of ours
 */
export async function moved(world: World, machineId: string): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  await lookSoon(world, host);
  const jobs = await jobsOn(world, host);
  if (jobs.length > 0 && (await isGone(world, host, machineId)))
    for (const job of jobs) await giveUp(world, job, job.placement.indexOf(host.rank), "host_lost");
  await reconcileCluster(world, host);
  for (const job of jobs) await reconcileJob(world, { workspace: job.workspace, jobId: job.id });
  return true;
}

async function jobsOn(world: World, host: Host.Host): Promise<Job.Placed[]> {
  const slots = await Slots.get(world.table, host.workspace, host.clusterId);
  const runs = slots?.hosts.find(one => one.rank === host.rank)?.runs ?? [];
  const jobs = await Promise.all(runs.map(run => load(world.table, Job.noun, Keys.job(host.workspace, run.jobId))));
  return jobs.flatMap(job => (job && Job.isPlaced(job) ? [job] : []));
}

async function isGone(world: World, host: Host.Host, machineId: string): Promise<boolean> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  if (cluster?.state !== "ready") return false;
  const provider = providerOf(world, cluster);
  if (world.clock.now() < certainAt(cluster.launch, provider.capabilities)) return false;
  return (await provider.observe(host)).every(machine => machine.machineId !== machineId);
}

/** How soon the hosts of a ready cluster are looked at, in ms: when one that is gone has been silent for long enough. */
const SOON = SUSPECT_AFTER + 30_000;

/** Its next deadline may be an hour away. */
async function lookSoon(world: World, host: Host.Host): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  const dueAt = world.clock.now() + SOON;
  if (cluster?.state !== "ready" || cluster.dueAt <= dueAt) return;
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write]);
}

/** Something that is about to happen to the machine. @returns whether it is one of ours. */
export async function warned(world: World, machineId: string, kind: Kind): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  await note(world, host, kind);
  await reconcileCluster(world, host);
  return true;
}
