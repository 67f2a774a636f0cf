/** The parts of a node's log, in the order in which they are written. */
import * as z from "zod";

/**
 * `provision`: what happened until the job had its hosts; told of events, and not stored. `packages`, `setup` and `run`
 * are what these printed, `hooks` what commands round them did, `muster` what the agent itself has to say.
 */
export const Phase = z.enum(["provision", "packages", "setup", "run", "hooks", "muster"]);
export type Phase = z.infer<typeof Phase>;

const ORDER: readonly string[] = Phase.options;
const RUN = ORDER.indexOf("run");

/** Its place among the phases. One that a newer agent has invented counts as `run`. */
export function orderOf(phase: string): number {
  const order = ORDER.indexOf(phase);
  return order < 0 ? RUN : order;
}

/** Which phases somebody wants to read. */
export interface Choice {
  has(phase: string): boolean;
  readonly first: number;
  readonly last: number;
}

/** All of them when none is named. */
export function choose(phases: readonly Phase[] | undefined): Choice {
  if (phases === undefined || phases.length === 0) return { has: () => true, first: 0, last: ORDER.length - 1 };
  const orders = phases.map(orderOf);
  const wanted = new Set<string>(phases);
  return { has: phase => wanted.has(phase), first: Math.min(...orders), last: Math.max(...orders) };
}
