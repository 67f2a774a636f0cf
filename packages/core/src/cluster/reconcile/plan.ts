/** requested → launching: chooses the first offer and writes the intent. */
import * as Actor from "../../actor/actor.ts";
import * as Capacity from "../../capacity/memory.ts";
import { MusterError } from "../../error.ts";
import * as Keys from "../../keys.ts";
import type { World } from "../../ports/world.ts";
import * as Choose from "../../provider/choose.ts";
import { advance } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { afford } from "./afford.ts";
import { fail, failureOf } from "./fail.ts";
import type { In, Outcome } from "./step.ts";

export async function plan(world: World, cluster: In<"requested">): Promise<Outcome> {
  const resources = await resourcesOf(world, cluster);
  const provider = Choose.provider(world.providers, { ...resources, provider: cluster.provider });
  const { offers, reason } = await provider.offers(resources, cluster.nodes);
  // Where all were refused lately, the best is asked once more.
  const [offer = offers[0]] = await Capacity.untried(world, offers);
  if (offer === undefined)
    return fail(world, cluster, { code: "no_offer", message: reason ?? "no machine fits any more" });
  const launch: Cluster.Launch = { try: 1, offer: Cluster.Offer.parse(offer), answered: false };
  try {
    const { takes, writes } = await afford(world.table, cluster, offer);
    const patch = { launch, takes, dueAt: world.clock.now() };
    const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "plan", patch);
    await world.table.write([...move.writes, ...writes]);
    return "again";
  } catch (error) {
    // Prices have risen since it was accepted.
    if (error instanceof MusterError && error.code === "over_budget") return fail(world, cluster, failureOf(error));
    throw error;
  }
}

/** What the cluster was asked to be. */
export async function resourcesOf(
  world: Pick<World, "table">,
  cluster: Cluster.Cluster,
): Promise<Cluster.Spec["resources"]> {
  const item = await world.table.get(Keys.clusterSpec(cluster.workspace, cluster.id));
  return Cluster.Spec.parse(item?.data).resources;
}
