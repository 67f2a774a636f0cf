/** Whether a workspace has done nothing for long. */
import * as Cluster from "../cluster/cluster.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { glimpse } from "../record.ts";

/** Of its clusters, so many of the newest are looked at. */
const NEWEST = 100;

/**
 * Whether all of its newest clusters ended longer ago than that, in ms. Read from an index: for what costs little when it is
 * wrong, since a cluster made this instant may be missing, and one that outlives a hundred younger ones as well.
 */
export async function isQuiet(
  { table, clock }: Pick<World, "table" | "clock">,
  workspace: string,
  ms: number,
): Promise<boolean> {
  const { pk } = Keys.list(workspace, "cluster", "");
  const { items } = await table.query({ pk, index: "list", order: "descending", limit: NEWEST });
  const clusters = items.map(item => glimpse(Cluster.noun, item));
  return clusters.every(cluster => "endedAt" in cluster && cluster.endedAt + ms < clock.now());
}
