/** What stands on a machine's disk, and survives agents and reboots. */
import type { AttemptRef, Report } from "@muster/core/agent/protocol.ts";
import type { Cause } from "@muster/core/attempt/attempt.ts";
import type { PostPolicy } from "@muster/core/ports/blobs.ts";

export interface Disk {
  /** Id of the machine that its agent has become known as. */
  machineId: string | undefined;
  nonce: string | undefined;
  hostToken: string | undefined;
  /** The highest fence seen of each job. */
  readonly fences: Map<string, number>;
  /** Attempts whose end was not accepted yet, by name. */
  readonly attempts: Map<string, Held>;
  /** Names of the attempts whose script was ever begun here. */
  readonly begun: Set<string>;
  /** The last that was run before its machine was to go. */
  hook: { readonly id: string; readonly isOver: boolean; readonly exitCode?: number } | undefined;
}

/** An attempt, as its agent left it. */
export interface Held {
  readonly ref: AttemptRef;
  readonly rank: number;
  readonly workspace: string;
  readonly beganAt: number;
  /** Epoch ms. */
  readonly timeLimit: number;
  readonly task: Workload;
  /** Numbers of its GPUs; undefined: the whole host is its own. */
  readonly gpus: readonly number[] | undefined;
  policy: PostPolicy;
  step: "inputs" | "run" | "closing";
  /** Chunks of the log that arrived. */
  sent: number;
  stop: Cause | undefined;
  end: Ending | undefined;
}

export interface Ending extends Pick<Extract<Report, { state: "exited" }>, "cause" | "exitCode"> {
  readonly at: number;
  /** Chunks that there are. */
  readonly chunks: number;
}

/** What a task's script does, as the run drew it. */
export interface Workload {
  /** ms. */
  readonly inputs: number;
  /** ms. */
  readonly run: number;
  readonly exitCode: number;
  readonly chunks: number;
}

/** A process group on a machine. */
export interface Script {
  readonly name: string;
  readonly startedAt: number;
  readonly task: Workload;
  readonly gpus: readonly number[] | undefined;
  /** When something else ends it, or did. */
  endedAt: number | undefined;
}

export const nameOf = (ref: AttemptRef): string => `${ref.jobId}/${ref.fence}`;

/** Whether its processes are there at this time. */
export const isAlive = (script: Script, now: number): boolean =>
  now < Math.min(script.endedAt ?? Number.POSITIVE_INFINITY, script.startedAt + script.task.run);

/** How many chunks of its log a script has written by now. */
export function written(script: Script, now: number): number {
  const until = Math.min(now, script.endedAt ?? now);
  return Math.min(script.task.chunks, Math.floor(((until - script.startedAt) / script.task.run) * script.task.chunks));
}

/** As a snapshot keeps it. */
export const copyOf = (disk: Disk): Disk => structuredClone(disk);

export const emptyDisk = (): Disk => ({
  machineId: undefined,
  nonce: undefined,
  hostToken: undefined,
  fences: new Map(),
  attempts: new Map(),
  begun: new Set(),
  hook: undefined,
});
