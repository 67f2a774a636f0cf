/** Users whose tasks run many times. */
import type { Actor } from "@muster/core/actor/actor.ts";
import type * as Job from "@muster/core/job/job.ts";
import { submit } from "@muster/core/job/submit.ts";
import { Runs } from "@muster/core/task/sweep.ts";
import { oneIn, someCluster, task } from "./bodies.ts";
import type { Accepted } from "./clients.ts";
import { type Made, ofJob } from "./order.ts";
import type { Sim } from "./sim.ts";

export function many(sim: Sim, accepted: Accepted, actor: Actor): Made {
  const count = sim.rng.between(1, 6);
  const runs = Runs.parse({ count, ...(sim.rng.chance(0.4) && { concurrent: sim.rng.between(1, 3) }) });
  const body: Job.Submit = {
    task: { ...task(sim, sim.rng.pick([1, 1, 1, 2])), runs },
    name: undefined,
    priority: sim.rng.pick([500, 500, 900]),
    down: sim.rng.chance(0.2),
    ...(sim.rng.chance(0.1) && { hold: true }),
  };
  const reference = oneIn(sim, actor, "ready") ?? someCluster(sim, accepted, actor);
  return { run: (world, by) => submit(world, by, reference, body), nouns: ofJob };
}
