/** starting, or moving → stopped: a start that came to nothing leaves the cluster as it was. */
import * as Actor from "../../actor/actor.ts";
import type { World } from "../../ports/world.ts";
import { RESTS } from "../../quota/quota.ts";
import { advance } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { afford, restingRate } from "./afford.ts";
import type { In, Outcome } from "./step.ts";

/** How soon a cluster that could not be started is tried again while jobs wait for it, in ms. */
export const RETRY = 300_000;

export async function stay(
  world: World,
  cluster: In<"starting" | "moving">,
  failure: Cluster.Failure,
): Promise<Outcome> {
  const isWanted = cluster.state === "moving" && cluster.byPerson === true;
  if (!isWanted) world.log.error("a cluster could not be started", { cluster: cluster.id, reason: failure.message });
  // Where nobody stopped it by hand, `byPolicy` lets the jobs that wait for it start it again.
  const why = isWanted ? { failure: undefined, byPolicy: undefined } : { failure, byPolicy: true };
  const patch = { ...why, takes: undefined, dueAt: world.clock.now() + RETRY };
  const actor = Actor.system(cluster.workspace);
  const rests = { takes: 0, holds: RESTS, hourly: restingRate(cluster), machines: "end" } as const;
  const { share, writes: given } = await afford(world, cluster, rests);
  const more = { ...patch, cost: share.cost };
  const move = advance<Cluster.Cluster, Cluster.State, "stay">(world, Cluster.kind, actor, cluster, "stay", more, {
    message: failure.message,
  });
  await world.table.write([...move.writes, ...given]);
  return "again";
}
