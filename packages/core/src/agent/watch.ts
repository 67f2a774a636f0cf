/** What a host is to look for, by its cluster's idle policy. */
import { type Idle, watched } from "../cluster/idle.ts";
import type { Watch } from "./protocol.ts";

/** Undefined where nothing on the host matters but jobs. */
export function watchOf(idle: Idle): Watch | undefined {
  if (idle === "never" || watched(idle) === undefined) return undefined;
  const { waitFor, cpuBelow, gpuBelow, command } = idle;
  return {
    ...(waitFor === "jobs_and_sessions" && { sessions: true }),
    ...(cpuBelow !== undefined && { cpuBelow }),
    ...(gpuBelow !== undefined && { gpuBelow }),
    ...(command !== undefined && { command }),
  };
}
