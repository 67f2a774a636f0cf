/** People who hold clusters, and let them go. */
import type { Actor } from "@muster/core/actor/actor.ts";
import { hold, release } from "@muster/core/cluster/hold.ts";
import { oneIn, someCluster } from "./bodies.ts";
import type { Accepted } from "./clients.ts";
import type { Made } from "./order.ts";
import type { Sim } from "./sim.ts";

const answered = (answer: unknown) => ({ clusterId: (answer as { id: string }).id });

export const holding = {
  holdCluster: (sim: Sim, accepted: Accepted, actor: Actor): Made => {
    const reference =
      oneIn(sim, actor, sim.rng.pick(["ready", "ready", "stopped"])) ?? someCluster(sim, accepted, actor);
    const seconds = sim.rng.between(30, 1_500);
    return { run: (world, by) => hold(world, by, reference, { seconds }), nouns: answered };
  },
  freeCluster: (sim: Sim, accepted: Accepted, actor: Actor): Made => {
    const reference = oneIn(sim, actor, "ready") ?? someCluster(sim, accepted, actor);
    return { run: (world, by) => release(world, by, reference), nouns: answered };
  },
};
