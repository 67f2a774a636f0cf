/** Makes a failing run smaller, so that its trace can be read: fewer steps, and fewer kinds of faults. */
import { FAULTS, type Fault } from "./faults.ts";
import type { Violation } from "./sim.ts";

export interface Smaller {
  readonly steps: number;
  /** Faults that it fails without. */
  readonly without: readonly Fault[];
  readonly violations: readonly Violation[];
}

/** One run of the seed. @returns what it violated. */
export type Run = (steps: number, without: readonly Fault[]) => Promise<readonly Violation[]>;

/** With fewer steps fewer things happen; below that there is nothing to read. */
const LEAST = 10;

/**
 * Halves the steps while it fails, leaves out one kind of fault after the other, and halves again. What it fails with may
 * be another violation than at first: it is one all the same.
 */
export async function shrink(found: Smaller, run: Run): Promise<Smaller> {
  return halved(await spared(await halved(found, run), run), run);
}

async function halved(found: Smaller, run: Run): Promise<Smaller> {
  let least = found;
  while (least.steps > LEAST) {
    const steps = Math.floor(least.steps / 2);
    const violations = await run(steps, least.without);
    if (violations.length === 0) return least;
    least = { ...least, steps, violations };
  }
  return least;
}

async function spared(found: Smaller, run: Run): Promise<Smaller> {
  let least = found;
  for (const fault of FAULTS.filter(one => !found.without.includes(one))) {
    const without = [...least.without, fault];
    const violations = await run(least.steps, without);
    if (violations.length > 0) least = { ...least, without, violations };
  }
  return least;
}
