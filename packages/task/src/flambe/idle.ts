/**
 * Flambé's two timeouts as the one policy of a cluster.
 *
 * Flambé ends the factories and the orchestrator each by its own clock, and a clock counts hours in which the host's CPUs
 * did next to nothing: less than 0.5 % of a factory's, less than 4 % of the orchestrator's. A Muster cluster stops as a
 * whole: the first clock, which is the factories', stops it and keeps the disks, and the second ends it. The share is the
 * factories' for every host: no job runs on the orchestrator here, so it does as little as they do.
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
const CPU_BELOW = 0.005;
/** A job keeps a Muster cluster also while it waits, and needs no CPU. */
const IDLE = "without a job and with less than 0.5% of every host's CPUs busy";

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
  const first = { after: factories * MINUTES, cpuBelow: CPU_BELOW };
  const whole = `factories_timeout: the whole cluster`;
  if (factories === orchestrator) {
    reading.warnings.push(`${whole} ends after ${hours(factories)} ${IDLE}`);
    return { ...first, action: "terminate" };
  }
  const stops = `${whole} stops after ${hours(factories)} ${IDLE}, and keeps its disks`;
  if (orchestrator === NEVER) {
    reading.warnings.push(`${stops} until somebody starts or ends it`);
    return { ...first, action: "stop" };
  }
  const later = orchestrator - factories;
  reading.warnings.push(`${stops}; ${hours(later)} later it ends`);
  return { ...first, action: "stop", then: { after: later * MINUTES, action: "terminate" } };
}

/** Nothing stops in the very moment in which it becomes idle. */
const hours = (count: number): string => (count === 0 ? "5 minutes" : `${count} hour${count === 1 ? "" : "s"}`);
