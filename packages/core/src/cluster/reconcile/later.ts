/** Looking again. */
import type { World } from "../../ports/world.ts";
import { amend, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import type { Outcome } from "./step.ts";

/** Nothing to do until then (epoch ms); a deadline that is further off stands. */
export async function later(
  world: World,
  cluster: Stored<Cluster.Cluster> & { readonly dueAt: number },
  dueAt: number,
): Promise<Outcome> {
  if (cluster.dueAt < dueAt) await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write]);
  return "wait";
}
