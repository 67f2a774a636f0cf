/** One run of a scenario with one fault at one of its awaits, or with none; then calm, and silence. */
import { Accepted } from "../clients.ts";
import { startControl } from "../control.ts";
import type { CallFault } from "../faults.ts";
import { MINUTE } from "../kernel.ts";
import type { Mishap } from "../process.ts";
import { calm, watch } from "../run.ts";
import { Sim, type Violation } from "../sim.ts";
import { type Scenario, scenarios } from "./scenarios.ts";
import { Stage, Stuck } from "./stage.ts";

/** What befalls an await. What is stalled has grids of its own: it needs something else that happens meanwhile. */
export const FIVE = [
  "crashBefore",
  "crashAfter",
  "timeoutBefore",
  "timeoutAfter",
  "throttle",
] as const satisfies readonly CallFault[];
export type Five = (typeof FIVE)[number];

export interface Point {
  readonly scenario: string;
  readonly seed: number;
  /** Which await, from 1; absent: none, and they are counted. */
  readonly at?: number;
  readonly fault?: Five;
}

export interface Ran {
  readonly violations: readonly Violation[];
  /** The awaits of ports, in order, each by its label. */
  readonly awaits: readonly string[];
  /** The label of the await that was hit. */
  readonly hit: string | undefined;
}

/** How long the answer to what was sent may take, in ms: nothing is stalled. */
const LANDING = MINUTE;

export async function runPoint({ scenario, seed, at, fault }: Point, lines?: string[]): Promise<Ran> {
  const script = scenarios[scenario];
  if (script === undefined) throw new Error(`no such scenario: ${scenario}; there are ${Object.keys(scenarios)}`);
  const awaits: string[] = [];
  let hit: string | undefined;
  // With every other seed an engine drives, without the others the sweeps and rings do.
  const sim = new Sim(seed, { lines, climate: { driven: seed % 2 === 1 } });
  sim.plan = (label): Mishap | undefined => {
    awaits.push(label.trim());
    if (awaits.length !== at || fault === undefined) return undefined;
    hit = label.trim();
    return { fault };
  };
  const violations = await play(sim, script, LANDING, () => {
    sim.plan = () => undefined;
  });
  return { violations, awaits, hit };
}

/** @param onEnd is called when the script has ended, before the weather clears */
export async function play(
  sim: Sim,
  script: Scenario,
  landing: number,
  onEnd: () => void,
): Promise<readonly Violation[]> {
  const accepted = new Accepted(sim);
  const stage = new Stage(sim, accepted);
  const isBroken = () => sim.violations.length > 0;
  sim.faults.on = false;
  watch(sim);
  startControl(sim);
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  script.act(stage).then(end, error => {
    if (!(error instanceof Stuck)) sim.violate("I0", `the script threw ${String(error?.stack ?? error)}`);
    end();
  });
  await sim.kernel.run(() => isBroken() || isOver);
  onEnd();
  if (!isBroken()) await calm(sim, accepted, isBroken, landing);
  if (!isBroken()) for (const what of script.amiss(stage)) sim.violate("I2", what);
  return sim.violations;
}
