/** What a script does: drawn when it is assigned, from what its task says. */
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { HOUR, MINUTE, SECOND } from "../kernel.ts";
import type { Sim } from "../sim.ts";
import type { Workload } from "./disk.ts";

/** The scripts that clients send. */
export const SCRIPTS = ["quick", "usual", "long", "hangs", "sure", "steady"] as const;
export type ScriptName = (typeof SCRIPTS)[number];

const longest: Readonly<Record<ScriptName, number>> = {
  quick: 10 * SECOND,
  usual: 2 * MINUTE,
  long: 20 * MINUTE,
  hangs: 1_000 * HOUR,
  sure: 30 * SECOND,
  steady: MINUTE,
};

/** The longest script that ends by itself, in ms. Whoever sends one that does not, sends its time limit with it. */
export const LONGEST_RUN = longest.long;

/** Those that always end well. */
const SURE: readonly ScriptName[] = ["sure", "steady"];

export function workload(sim: Sim, assignment: Pick<Assignment, "run">): Workload {
  const script = (assignment.run ?? "quick") as ScriptName;
  if (script === "hangs") sim.faults.meet("scriptHangs");
  return {
    inputs: sim.rng.int(10 * SECOND),
    run: timeOf(sim, script),
    exitCode: sim.rng.chance(0.1) && !SURE.includes(script) ? 1 : 0,
    chunks: sim.rng.int(5),
  };
}

/** ms. */
function timeOf(sim: Sim, script: ScriptName): number {
  if (script === "hangs" || script === "steady") return longest[script];
  return 1 + sim.rng.int(longest[script]);
}
