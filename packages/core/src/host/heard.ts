/** What the cloud says of a machine, of its own accord. A hint: what follows is found out anew. */
import { reconcile as reconcileCluster } from "../cluster/reconcile/reconcile.ts";
import * as Slots from "../cluster/slots.ts";
import { reconcile as reconcileJob } from "../job/reconcile/reconcile.ts";
import type { World } from "../ports/world.ts";
import { hostOf } from "./machine.ts";
import { type Kind, note } from "./notice.ts";

/** A state that the machine has come to. @returns whether it is one of ours. */
export async function moved(world: World, machineId: string): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  await reconcileCluster(world, host);
  const slots = await Slots.get(world.table, host.workspace, host.clusterId);
  const job = slots?.hosts.find(slot => slot.rank === host.rank)?.job;
  if (job) await reconcileJob(world, { workspace: host.workspace, jobId: job.jobId });
  return true;
}

/** Something that is about to happen to the machine. @returns whether it is one of ours. */
export async function warned(world: World, machineId: string, kind: Kind): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  await note(world, host, kind);
  await reconcileCluster(world, host);
  return true;
}
