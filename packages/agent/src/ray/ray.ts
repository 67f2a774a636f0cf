/**
 * A Ray cluster over a job's hosts. The first host has its head, and runs the task's script once all hosts have come; the
 * others have a node each, until the head is gone. All of it are processes of the attempts, and end with them.
 */
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { failuresOf } from "../attempt/notes.ts";
import type { Outcome, Record } from "../attempt/record.ts";
import { readText } from "../disk.ts";
import { boot } from "../host/boot.ts";
import type { Ending, Script } from "../script/execute.ts";
import { type ScriptPhase, toolOf } from "../script/texts.ts";
import { exitCode, FolderWatch } from "../script/watch.ts";
import type { Assignment } from "../types.ts";
import { HEAD, NODE, NONE, OF_HEAD } from "./texts.ts";

/** How long the next host may take to come, in ms. */
const PATIENCE = 120_000;
const LOOK = 250;
/** From MASTER_PORT to Ray's: both are the job's alone on every host. */
const DISTANCE = 10_000;

type Part = Pick<Script, "phase" | "text" | "args">;

export interface Cluster {
  /** What this host does for it. */
  readonly part: Part;
  readonly isHead: boolean;
  readonly hosts: number;
  /** For the task's scripts. */
  readonly env: { readonly RAY_ADDRESS: string };
}

/** Undefined when the job has none. */
export function clusterOf({ ray, rank, env, ...ref }: Assignment): Cluster | undefined {
  if (!ray) return undefined;
  const ips = (env.MUSTER_NODE_IPS ?? "").split("\n");
  const { MASTER_ADDR: head = "" } = env;
  const port = String(Number(env.MASTER_PORT) - DISTANCE);
  const isHead = rank === 0;
  const part: Part = isHead
    ? { phase: "ray", text: toolOf(HEAD), args: [head, port, String(ips.length), folderOf(ref)] }
    : { phase: "run", text: toolOf(NODE), args: [head, port, ips[rank] ?? ""] };
  return { part, isHead, hosts: ips.length, env: { RAY_ADDRESS: `${head}:${port}` } };
}

/** Short: sockets lie below it, whose paths have 107 characters at most. */
const folderOf = ({ jobId, fence }: Pick<Assignment, "jobId" | "fence">): string =>
  join("/tmp", `muster-ray-${createHash("sha256").update(`${jobId}-${fence}`).digest("hex").slice(0, 12)}`);

/**
 * After its processes have ended. All hosts have Ray's folder where the head has it; on one machine it is the same one, and
 * the head's. In a container it is the container's own.
 */
export function leaveRay({ assignment }: Pick<Record, "assignment">): void {
  const folder = folderOf(assignment);
  const isMine = assignment.rank === 0 || !existsSync(join(folder, OF_HEAD));
  if (assignment.ray && isMine) rmSync(folder, { recursive: true, force: true });
}

/** Waits until all hosts have come. @returns why there is no cluster; nothing when there is, or when `over` aborts */
export async function gathered(
  record: Record,
  { hosts }: Cluster,
  over: AbortSignal,
  patience = PATIENCE,
): Promise<Outcome | undefined> {
  const watch = new FolderWatch(record.folder);
  const state = { found: 0, since: performance.now() };
  try {
    while (!over.aborted) {
      const found = Number(said(record, "ray")) || 0;
      if (found > state.found) Object.assign(state, { found, since: performance.now() });
      const failed = headFailure(record);
      if (failed !== undefined || found >= hosts) return failed;
      if (performance.now() - state.since > patience) return start(`the Ray cluster has ${found} of ${hosts} hosts`);
      await watch.wake.wait(LOOK);
    }
    return undefined;
  } finally {
    watch.close();
  }
}

function headFailure(record: Record): Outcome | undefined {
  if (readText(join(record.folder, "ray.boot")) !== boot())
    return { cause: "host_lost", message: "The machine restarted while the Ray cluster was made." };
  const code = exitCode(record.folder, "ray");
  if (code === undefined) return undefined;
  return missing(record, "ray") ?? start(`the head of the Ray cluster ended with exit code ${code}; the log says why`);
}

/** How a host that is not the first one ended. */
export function nodeOutcome(record: Record, { code }: Extract<Ending, { kind: "exited" }>): Outcome {
  if (code === 0) return { cause: "exited", exitCode: 0 };
  return missing(record, "run") ?? start("its node of the Ray cluster ended before the job; the log says why");
}

function missing(record: Record, phase: ScriptPhase): Outcome | undefined {
  if (said(record, phase) !== NONE) return undefined;
  return start("there is no command named ray: install it with packages: [pip:ray], or in setup");
}

const said = (record: Record, phase: ScriptPhase): string => record.read(failuresOf(record.assignment, phase)).trim();

const start = (message: string): Outcome => ({ cause: "start_failed", message });
