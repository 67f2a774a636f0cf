/** An idle policy, by the keys of Muster's own form. */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { hoursText } from "../hours.ts";
import type { Value } from "./nodes.ts";
import { amount } from "./resources.ts";
import { time } from "./time.ts";

const MINUTE = 60;

export function idleOf(idle: Idle): Value {
  if (idle === "never") return idle;
  const { after, action, then, waitFor, cpuBelow, gpuBelow, command, keep, hook } = idle;
  const timeout = hook?.timeout === undefined ? undefined : time(hook.timeout * MINUTE);
  return {
    after: time(after * MINUTE),
    action,
    then: then && { after: time(then.after * MINUTE), action: then.action },
    wait_for: waitFor,
    cpu_below: cpuBelow === undefined ? undefined : amount(cpuBelow),
    gpu_below: gpuBelow === undefined ? undefined : amount(gpuBelow),
    command,
    keep: keep && { zone: keep.zone, hours: keep.hours.map(hoursText) },
    hook: hook && (timeout === undefined ? hook.run : { run: hook.run, timeout }),
  };
}
