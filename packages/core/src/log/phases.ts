/** The parts of a node's log, in the order in which they begin. */
import * as z from "zod";
import { Service } from "../task/service.ts";

/** As people name them; `service-NAME` is what that service printed. */
export const PHASES = ["provision", "packages", "setup", "run", "ray", "service-NAME", "hooks", "muster"] as const;

/**
 * `provision`: what happened until the job had its hosts; told of events, and not stored. `packages`, `setup` and `run`
 * are what these printed; what `ray` and services print beside `run` comes between its own parts; `hooks` is what commands
 * round them did, `muster` what the agent itself has to say.
 */
export const Phase = z.union([
  z.enum(["provision", "packages", "setup", "run", "ray", "hooks", "muster"]),
  z.templateLiteral(["service-", Service.shape.name]),
]);
export type Phase = z.infer<typeof Phase>;

const ORDER: readonly string[] = PHASES;
const RUN = ORDER.indexOf("run");

/** Its place among the phases. What is written beside `run` has its place, as has what a newer agent has invented. */
export function orderOf(phase: string): number {
  const order = ORDER.indexOf(phase);
  return order < 0 || phase === "ray" ? RUN : order;
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
