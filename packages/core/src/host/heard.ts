/** What the cloud says of a machine, of its own accord. A hint: what follows is found out anew. */
import { reconcile as reconcileCluster } from "../cluster/reconcile/reconcile.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import { reconcile as reconcileJob } from "../job/reconcile/reconcile.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { hostOf } from "./machine.ts";

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

/** Something that is about to happen to the machine: `interruption` or `rebalance`. It stands in the cluster's history. */
export async function warned(world: World, machineId: string, kind: "interruption" | "rebalance"): Promise<boolean> {
  const host = await hostOf(world.table, machineId);
  if (host === undefined) return false;
  const message =
    kind === "interruption"
      ? `the cloud takes machine ${machineId} back within two minutes`
      : `the cloud may soon take machine ${machineId} back`;
  const event = Event.draft(Keys.cluster(host.workspace, host.clusterId), {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: host.id,
    kind: `host.${kind}`,
    clusterId: host.clusterId,
    actor: "system",
    message,
  });
  await retrying(() => world.table.write([{ put: event, expect: "absent" }]));
  await reconcileCluster(world, host);
  return true;
}
