/**
 * Flambé's two timeouts as the one policy of a cluster.
 *
 * Flambé ends the factories and the orchestrator each by its own clock. A Muster cluster stops as a whole, so the first
 * clock stops it, which keeps the disks, and the second ends it.
 */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { type Reading, refuse } from "../reading.ts";
import type { Mapping } from "../yaml/tree.ts";

/** Hours; -1 is never. */
interface Timeouts {
  readonly orchestrator?: number;
  readonly factories?: number;
}

const MINUTES = 60;
const MOST = 8760;
const NEVER = -1;
const ORCHESTRATOR = NEVER;
const FACTORIES = 1;

/** The policy that is nearest to the timeouts; undefined when they contradict each other, which is noted. */
export function policy(reading: Reading, map: Mapping, timeouts: Timeouts): Idle | undefined {
  const { orchestrator = ORCHESTRATOR, factories = FACTORIES } = timeouts;
  const at = (key: string) => ({ path: key, line: map.entries.get(key)?.line });
  for (const [key, hours] of [
    ["orchestrator_timeout", orchestrator] as const,
    ["factories_timeout", factories] as const,
  ])
    if (hours > MOST) return refuse(reading, at(key), `must be ${MOST} hours, a year, at most`);
  if (factories === NEVER && orchestrator === NEVER) return "never";
  if (orchestrator !== NEVER && (factories === NEVER || factories > orchestrator))
    return refuse(
      reading,
      at("factories_timeout"),
      "is longer than orchestrator_timeout, and factories cannot outlive their orchestrator",
      `write ${orchestrator} or less`,
    );
  const after = factories * MINUTES;
  if (factories === orchestrator) return { after, action: "terminate" };
  const stops = `the whole cluster stops after ${hours(factories)} without a job, and keeps its disks`;
  if (orchestrator === NEVER) {
    reading.warnings.push(`factories_timeout: ${stops} until somebody starts or ends it`);
    return { after, action: "stop" };
  }
  const later = orchestrator - factories;
  reading.warnings.push(`factories_timeout: ${stops}; ${hours(later)} later it ends`);
  return { after, action: "stop", then: { after: later * MINUTES, action: "terminate" } };
}

/** Nothing stops in the very moment in which it becomes idle. */
const hours = (count: number): string => (count === 0 ? "5 minutes" : `${count} hour${count === 1 ? "" : "s"}`);
