/** What the cloud says of a machine, of its own accord. A hint: what follows is found out anew. */

import * as Cluster from "../cluster/cluster.ts";
import { reconcile as reconcileCluster } from "../cluster/reconcile/reconcile.ts";
import * as Slots from "../cluster/slots.ts";
import { reconcile as reconcileJob } from "../job/reconcile/reconcile.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import type * as Host from "./host.ts";
import { hostOf } from "./machine.ts";
import { type Kind, note } from "./notice.ts";
import { SUSPECT_AFTER } from "./silence.ts";

/** A state that the machine has come to. @returns whether it is one of ours. */
export async function moved(world: World, machineId: string): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  await lookSoon(world, host);
  await reconcileCluster(world, host);
  const slots = await Slots.get(world.table, host.workspace, host.clusterId);
  const job = slots?.hosts.find(slot => slot.rank === host.rank)?.job;
  if (job) await reconcileJob(world, { workspace: host.workspace, jobId: job.jobId });
  return true;
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
