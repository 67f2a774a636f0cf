/**
 * What is on disk of an attempt: `<agent>/attempts/<jobId>-<fence>/`.
 *
 *   assignment.json  what the control plane asked for; holds secrets
 *   state.json       how far it has come
 *   policy.json      the newest grant for logs
 *   halted           the machine went down while it ran
 *   {container,packages,setup,run}.*   script, pid of its wrapper, exit code, lines that failed
 *   in/              the same of those that run in a container, as both sides see it
 *   out/             the log, one file per phase
 *   chunks           which bytes each log chunk holds
 *   outputs.*        what is kept, and how far that has come
 *   checkpoint.*     whether its folder is as it was left; the newest grant for it
 *   said             lines for the log, until its last part begins
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { flushFolder, readJson, readStart, writeWhole } from "../disk.ts";
import type { Kept } from "../outputs/outputs.ts";
import { exitCode } from "../script/watch.ts";
import type { Assignment, AttemptRef, Cause, Held, LogPolicy } from "../types.ts";

/** In order; `keeping` sends home what outlives it; `closing` is over, with its log and its end still to be brought home. */
export type Step = "inputs" | "container" | "packages" | "setup" | "run" | "keeping" | "closing";

export interface Outcome {
  readonly cause: Cause;
  readonly exitCode?: number;
  readonly message?: string;
}

export interface State {
  readonly step: Step;
  /** Epoch ms by this machine's clock; the timeout counts from here. */
  readonly beganAt: number;
  /** The last report that was answered. */
  readonly told: "nothing" | "preparing" | "running";
  /** Why it is made to end. */
  readonly stop?: Outcome;
  /** Of a workdir that was cloned. */
  readonly commit?: string;
  readonly outcome?: Outcome;
  readonly endedAt?: number;
  /** Whether it had come past its inputs. */
  readonly hadInputs?: boolean;
  /** Of its outputs. */
  readonly kept?: Kept;
  /** In the place of the one that the control plane chose. */
  readonly masterPort?: number;
  /** Of its services, by their names. */
  readonly ports?: { readonly [name: string]: number };
  /** The most that each of its GPUs was busy, 0 to 1, by their order. */
  readonly gpuPeaks?: readonly number[];
}

const BEGINNING = ".new-";
const LEAVING = ".gone-";
const MOST_READ = 64 * 1024;

export class Record {
  readonly folder: string;
  readonly assignment: Assignment;
  /** A former agent had it before. */
  readonly adopted: boolean;
  #state: State;

  private constructor(folder: string, assignment: Assignment, state: State, adopted: boolean) {
    this.folder = folder;
    this.assignment = assignment;
    this.adopted = adopted;
    this.#state = state;
  }

  /** The folder appears whole or not at all. */
  static create(attempts: string, assignment: Assignment, now: number): Record {
    const folder = join(attempts, nameOf(assignment));
    const beginning = join(attempts, `${BEGINNING}${nameOf(assignment)}`);
    const state: State = { step: "inputs", beganAt: now, told: "nothing" };
    rmSync(beginning, { recursive: true, force: true });
    mkdirSync(join(beginning, "out"), { recursive: true, mode: 0o700 });
    writeWhole(join(beginning, "assignment.json"), JSON.stringify(assignment));
    writeWhole(join(beginning, "state.json"), JSON.stringify(state));
    renameSync(beginning, folder);
    flushFolder(attempts);
    return new Record(folder, assignment, state, false);
  }

  /** Undefined when the folder holds no attempt. */
  static load(folder: string): Record | undefined {
    const assignment = readJson<Assignment>(join(folder, "assignment.json"));
    const state = readJson<State>(join(folder, "state.json"));
    return assignment === undefined || state === undefined ? undefined : new Record(folder, assignment, state, true);
  }

  get state(): State {
    return this.#state;
  }

  update(patch: Partial<State>): void {
    const state = { ...this.#state, ...patch };
    writeWhole(join(this.folder, "state.json"), JSON.stringify(state));
    this.#state = state;
  }

  /** Written down with the next update: to lose it does no harm. */
  remember(patch: Partial<State>): void {
    this.#state = { ...this.#state, ...patch };
  }

  get policy(): LogPolicy {
    return readJson<LogPolicy>(join(this.folder, "policy.json")) ?? this.assignment.logs;
  }

  renew(policy: LogPolicy): void {
    writeWhole(join(this.folder, "policy.json"), JSON.stringify(policy));
  }

  get isHalted(): boolean {
    return existsSync(join(this.folder, "halted"));
  }

  has(file: string): boolean {
    return existsSync(join(this.folder, file));
  }

  /** The beginning of a file that the job may write to, and therefore without end. */
  read(file: string): string {
    return readStart(join(this.folder, file), MOST_READ);
  }

  /** Gone at once for the next agent, however long the files take. */
  remove(): void {
    const leaving = join(dirname(this.folder), `${LEAVING}${basename(this.folder)}-${Date.now()}`);
    if (existsSync(this.folder)) renameSync(this.folder, leaving);
    discard(leaving);
  }
}

/** What a cancel order means for the outcome. */
export function stopOf(cancel: NonNullable<Held["cancel"]>): Outcome {
  if (cancel === "peer_failed") return { cause: "cancelled", message: "Another node of this job failed." };
  if (cancel === "interrupted")
    return { cause: "cancelled", message: "The cloud takes back a machine of this job: it is tried again." };
  return cancel === "timed_out" ? { cause: "timed_out", message: "It ran out of time." } : { cause: "cancelled" };
}

export const nameOf = (ref: AttemptRef): string => `${ref.jobId}-${ref.fence}`;

/** Says before the machine goes down that what ends now did not end by itself. */
export function halt(folder: string): void {
  if (exitCode(folder, "run") === undefined) writeWhole(join(folder, "halted"), "");
}

/** The folders of all attempts. */
export const folders = (attempts: string): string[] =>
  existsSync(attempts)
    ? readdirSync(attempts)
        .filter(name => !name.startsWith("."))
        .map(name => join(attempts, name))
    : [];

/** What a crash left half made or half removed. */
export function sweep(attempts: string): void {
  for (const name of readdirSync(attempts)) if (name.startsWith(".")) discard(join(attempts, name));
}

/** Removes what can be removed. */
export function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Of a container's root something may be there that only root can remove. It is nobody's by now, and swept up again.
  }
}
