/** Kicks: they make agents look at once. A lost kick costs one interval. */
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import { idOf } from "./host.ts";

/** One call of the provider for all of them: its slots say which machines they are. */
export async function kick(
  world: Pick<World, "table" | "providers" | "log">,
  { workspace, clusterId }: ClusterRef,
  ranks: readonly number[],
): Promise<void> {
  if (ranks.length === 0) return;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, clusterId));
  const provider = cluster && world.providers.get(cluster.provider);
  if (provider === undefined) return;
  const slots = await Slots.get(world.table, workspace, clusterId);
  const machines = new Map(slots?.hosts.map(slot => [slot.rank, slot.machineId]));
  const hosts = ranks.map(rank => ({ hostId: idOf(clusterId, rank), machineId: machines.get(rank) }));
  try {
    await provider.kick({ workspace, clusterId }, hosts);
  } catch (error) {
    world.log.info("a kick was lost", { cluster: clusterId, reason: String(error) });
  }
}
