/**
 * One script of an attempt, from its start, or from wherever a former agent left it, to the end of all its processes.
 * Everything is read from the attempt's folder, so that it makes no difference which agent started the script.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, readText, writeWhole } from "../disk.ts";
import { type Account, admit, give } from "../host/account.ts";
import { boot } from "../host/boot.ts";
import { end, type Keep } from "./end.ts";
import { isMember } from "./processes.ts";
import { type ScriptPhase, WRAPPER } from "./texts.ts";
import { exitCode, FolderWatch, wrapperPid } from "./watch.ts";

export interface Script {
  readonly folder: string;
  readonly phase: ScriptPhase;
  /** For bash, whole. */
  readonly text: string;
  readonly args?: readonly string[];
  readonly bash: string;
  /** Whose script it is, when not the agent's own user's. */
  readonly owner: Account | undefined;
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** Seconds between TERM and KILL. */
  readonly grace: number;
  /** KiB that its log may take on the disk; absent: all that it prints. */
  readonly logLimit?: number | undefined;
  /** When what is started here only sends the script to where it runs. */
  readonly inside?: Inside | undefined;
}

/** Where a script's own processes are, when they are no children of ours. */
export interface Inside {
  /** Writes what the script needs there, before it starts. */
  prepare(): void;
  /** The script's exit code; undefined until it has ended. */
  code(): number | undefined;
  /** Ends all processes there: TERM, a while, KILL. Never rejects. */
  end(grace: number): Promise<void>;
}

export type Ending =
  /** Ended by itself. */
  | { readonly kind: "exited"; readonly code: number }
  /** Ended because it was told to. */
  | { readonly kind: "stopped"; readonly code: number }
  | { readonly kind: "unstarted"; readonly message: string; readonly cause?: "container_failed" }
  /** It went with the machine, which started again since. */
  | { readonly kind: "vanished" };

/** What a script leaves behind gets less time than the script itself, since somebody waits for the job to be over. */
const LEFTOVER_GRACE = 5;
/** What the wrapper may need once nobody writes any more: next to nothing, but the machine may be busy. */
const DRAIN_GRACE = 10;
const TICK = 1_000;
const DRAIN_LOOK = 20;
/** Nothing but KILL ends a wrapper before it has written down a code. */
const KILLED = 137;

/** Rejects when `halt` aborts; the processes are then somebody else's to end. */
export async function execute(script: Script, stop: AbortSignal, halt: AbortSignal): Promise<Ending> {
  const watch = new FolderWatch(script.folder);
  const ring = (): void => watch.wake.ring();
  stop.addEventListener("abort", ring);
  halt.addEventListener("abort", ring);
  try {
    return await follow(script, watch, stop, halt);
  } finally {
    stop.removeEventListener("abort", ring);
    halt.removeEventListener("abort", ring);
    watch.close();
  }
}

async function follow(script: Script, watch: FolderWatch, stop: AbortSignal, halt: AbortSignal): Promise<Ending> {
  const { folder, phase } = script;
  // From here to the start nothing waits: what is halted is never started.
  halt.throwIfAborted();
  requireFolder(folder);
  const told = stop.aborted;
  const child = await begin(script);
  if (child instanceof Error) return { kind: "unstarted", message: messageOf(child) };
  child?.once("exit", () => watch.wake.ring());
  const code = (): number | undefined => (script.inside === undefined ? exitCode(folder, phase) : script.inside.code());
  const isOver = (): boolean => code() !== undefined || !isAlive(script, child);
  while (!isOver() && !stop.aborted) {
    halt.throwIfAborted();
    await watch.wake.wait(TICK);
  }
  halt.throwIfAborted();
  const stopped = told || !isOver();
  const grace = stopped ? script.grace : Math.min(script.grace, LEFTOVER_GRACE);
  if (script.inside !== undefined) {
    await script.inside.end(grace);
    // What sent it brings home the rest of its output, and then ends by itself.
    for (const until = performance.now() + DRAIN_GRACE * 1000; isAlive(script, child) && performance.now() < until; )
      await watch.wake.wait(DRAIN_LOOK);
  }
  const keeping = isAlive(script, child);
  if (keeping) await end(folder, grace, keepers(script));
  await end(folder, keeping ? DRAIN_GRACE : grace);
  halt.throwIfAborted();
  requireFolder(folder, ...(code() === undefined ? [] : [`${phase}.sh`, `${phase}.pid`]));
  return ending(script, child, stopped);
}

/**
 * With its disk the machine has gone: that is for others to tell, and what a script left behind meanwhile says nothing. Told
 * by files that are written once: the folder itself may have been made anew by whoever was just writing into it.
 */
function requireFolder(folder: string, ...begun: readonly string[]): void {
  for (const file of ["assignment.json", ...begun])
    if (!existsSync(join(folder, file))) throw new Error(`the attempt's folder is gone: ${file}`);
}

function ending(script: Script, child: ChildProcess | undefined, stopped: boolean): Ending {
  const { folder, phase } = script;
  const code = exitCode(folder, phase);
  if (stopped) return { kind: "stopped", code: code ?? KILLED };
  if (code !== undefined) return { kind: "exited", code };
  if (wrapperPid(folder, phase) !== undefined)
    return readText(join(folder, `${phase}.boot`)) === boot() ? { kind: "exited", code: KILLED } : { kind: "vanished" };
  const said = readText(join(folder, "wrap.err"))?.trim().slice(-500);
  return { kind: "unstarted", message: `bash ended with ${child?.exitCode ?? child?.signalCode}: ${said}` };
}

/** The wrapper and its two ends of the pipe go last: they bring home the rest of the output, and the exit code. */
function keepers(script: Script): Keep {
  const wrapper = wrapperPid(script.folder, script.phase);
  return members => members.filter(one => one.pid === wrapper || one.parent === wrapper);
}

function isAlive(script: Script, child: ChildProcess | undefined): boolean {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) return true;
  const pid = wrapperPid(script.folder, script.phase);
  return pid !== undefined && isMember(pid, script.folder);
}

/** A script could not be started; the message is for the job's owner. */
export class Unstarted extends Error {}

/**
 * Starts a script that nobody waits for, unless it was started before: it ends with the attempt's other processes.
 * @throws Unstarted
 */
export async function launch(script: Script): Promise<void> {
  const begun = await begin(script);
  if (begun instanceof Error) throw new Unstarted(messageOf(begun));
}

/** Undefined when the script was started before. */
async function begin(script: Script): Promise<ChildProcess | Error | undefined> {
  if (wrapperPid(script.folder, script.phase) !== undefined) return undefined;
  try {
    const child = start(script);
    await once(child, "spawn");
    return child;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function start(script: Script): ChildProcess {
  const { folder, phase, bash, args: own = [], logLimit = "unlimited" } = script;
  const path = join(folder, `${phase}.sh`);
  mkdirSync(join(folder, "out"), { recursive: true });
  writeFileSync(path, script.text, { mode: 0o600 });
  // Another script's wrapper may be reading it.
  writeWhole(join(folder, "wrap.sh"), WRAPPER);
  writeFileSync(join(folder, `${phase}.boot`), boot());
  script.inside?.prepare();
  if (script.owner !== undefined) lend(script.owner, folder, path);
  const errors = openSync(join(folder, "wrap.err"), "a", 0o600);
  try {
    // -p: the task's variables may hold BASH_ENV or functions, which are meant for its scripts.
    const command = [...(script.owner?.as ?? []), bash, path, ...own];
    const args = ["-p", join(folder, "wrap.sh"), folder, phase, String(logLimit), ...command];
    return spawn(bash, args, {
      cwd: script.cwd,
      env: script.env,
      detached: true,
      stdio: ["ignore", errors, errors],
    });
  } finally {
    closeSync(errors);
  }
}

/** The user reads the script, and notes the lines that fail. */
function lend(owner: Account, folder: string, path: string): void {
  admit(owner, folder);
  writeFileSync(`${path}.failed`, "", { mode: 0o600 });
  for (const file of [path, `${path}.failed`]) give(owner, file);
}
