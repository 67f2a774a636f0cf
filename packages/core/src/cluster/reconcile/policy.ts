/** A new idle policy: first the machines learn what it means for them, then it holds. */
import type { World } from "../../ports/world.ts";
import { amend, type Stored } from "../../record.ts";
import { hangsOnPolicy } from "../change.ts";
import * as Cluster from "../cluster.ts";
import { powerOffOf } from "../idle.ts";
import { providerOf } from "./provider.ts";
import type { Outcome } from "./step.ts";

/** States in which all its machines are known, or none is there yet. */
const SETTLED: ReadonlySet<Cluster.State> = new Set(["requested", "booting", "ready", "stopped", "broken"]);

export const hasNewPolicy = (cluster: Cluster.Cluster): boolean =>
  cluster.nextIdle !== undefined && SETTLED.has(cluster.state);

export async function takePolicy(world: World, cluster: Stored<Cluster.Cluster>): Promise<Outcome> {
  const idle = cluster.nextIdle ?? cluster.idle;
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  if (cluster.state !== "requested") await providerOf(world, cluster).setPowerOff?.(ref, powerOffOf(idle));
  // A deadline that hangs on the policy is worked out anew.
  const due = hangsOnPolicy(cluster) ? { dueAt: world.clock.now() } : {};
  await world.table.write([amend(Cluster.noun, cluster, { idle, nextIdle: undefined, ...due }).write]);
  return "again";
}
