/** Kicks: they make agents look at once. A lost kick costs one interval. */
import * as Cluster from "../cluster/cluster.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import { idOf } from "./host.ts";

export async function kick(
  world: Pick<World, "table" | "providers" | "log">,
  ref: ClusterRef,
  ranks: readonly number[],
): Promise<void> {
  const { workspace, clusterId } = ref;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, clusterId));
  const provider = cluster && world.providers.get(cluster.provider);
  if (provider === undefined) return;
  const kicks = ranks.map(rank => provider.kick({ workspace, clusterId, hostId: idOf(clusterId, rank) }));
  for (const sent of await Promise.allSettled(kicks))
    if (sent.status === "rejected") world.log.info("a kick was lost", { reason: String(sent.reason) });
}
