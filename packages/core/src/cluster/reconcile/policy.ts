/**
 * A new idle policy. The control plane keeps it from the moment it is asked for; what machines do by themselves follows when
 * they have learnt of it, and is tried with every look until then.
 */
import type { World } from "../../ports/world.ts";
import { amend, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { powerOffOf } from "../idle.ts";
import { providerOf } from "./provider.ts";

/** States in which all its machines are known, or none is there yet. */
const SETTLED: ReadonlySet<Cluster.State> = new Set(["requested", "ready", "stopped"]);

/** @returns whether the machines know the policy now; when they could not be told, that is logged. */
export async function takePolicy(world: World, cluster: Stored<Cluster.Cluster>): Promise<boolean> {
  const { nextIdle } = cluster;
  if (nextIdle === undefined || !SETTLED.has(cluster.state)) return false;
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  try {
    if (cluster.state !== "requested") await providerOf(world, cluster).setPowerOff?.(ref, powerOffOf(nextIdle));
  } catch (error) {
    world.log.error("machines could not be told of a new policy", { cluster: cluster.id, reason: String(error) });
    return false;
  }
  await world.table.write([amend(Cluster.noun, cluster, { idle: nextIdle, nextIdle: undefined }).write]);
  return true;
}
