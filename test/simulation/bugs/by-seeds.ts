/** A planted bug, searched for by seeds: what they find must be the bug, and nothing that is there without it. */
import type { Job, Sum } from "../hunt.ts";
import { hunt } from "../parent.ts";
import { run } from "../run.ts";
import { hardest } from "./hardest.ts";

export type Asked = Pick<Job, "from" | "count" | "steps" | "mix">;

/** @throws Error when the first seed that fails also fails with no bug planted: that one is to be mended first. */
export async function bySeeds(bug: string, asked: Asked, workers: number): Promise<Sum> {
  const mix = asked.mix ?? hardest[bug];
  const sum = await hunt({ ...asked, mix, stopsAtFirst: true }, workers, bug, () => undefined);
  const [first] = sum.failures;
  if (first === undefined) return sum;
  const { violations } = await run(first.seed, asked.steps, { mix });
  if (violations.length === 0) return sum;
  const [{ invariant, message } = { invariant: "", message: "" }] = violations;
  throw new Error(`seed ${first.seed} of ${asked.steps} steps fails with no bug planted: ${invariant} ${message}`);
}
