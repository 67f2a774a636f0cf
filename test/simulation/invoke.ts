/** Invocations: the control plane's code, run once, in a process and a world of its own. */
import type { Whole } from "@muster/core/ports/world.ts";
import { checkError, type Outcome, type Process } from "./process.ts";
import type { Sim } from "./sim.ts";
import { worldOf } from "./world.ts";

/** Runs code of the control plane in a process of its own. */
export function invoke<T>(
  sim: Sim,
  name: string,
  workspace: string | undefined,
  run: (world: Whole) => Promise<T>,
): Promise<Outcome<T>> {
  return new Promise(resolve => {
    const isNewer = sim.climate.deploys && sim.rng.chance(0.5);
    const process: Process = {
      name,
      workspace,
      deadline: sim.now + sim.climate.limit,
      skew: sim.climate.skew === 0 ? 0 : sim.rng.between(-sim.climate.skew, sim.climate.skew),
      isNewer,
      dead: false,
      finished: false,
      die() {
        if (process.dead || process.finished) return;
        process.dead = true;
        sim.kernel.note(`${name} dies`);
        resolve({ kind: "died" });
      },
    };
    if (process.skew !== 0) sim.faults.meet("clockOff");
    const end = (outcome: Outcome<T>) => {
      process.finished = true;
      if (!process.dead) resolve(outcome);
    };
    run(worldOf(sim, process)).then(
      value => end({ kind: "done", value }),
      error => {
        checkError(sim, name, error);
        end({ kind: "threw", error });
      },
    );
  });
}
