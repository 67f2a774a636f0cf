/** Programs that bring inputs: each in a session of its own, so that all of it can be ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { messageOf, readText } from "../disk.ts";

export interface Program {
  /** The program, then its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A file for all that it writes, for programs that leave something behind which would hold a pipe open. */
  readonly log?: string;
}

export interface Ended {
  /** Undefined when it never ran, or a signal ended it. */
  readonly code: number | undefined;
  /** The end of what it wrote to standard error, or why it never ran. */
  readonly said: string;
  readonly output: string;
}

/** Characters kept of what a program says. */
const MOST = 8_000;
/** In ms. */
const DRAINED_WITHIN = 500;

/** Runs a program to its end; when the signal aborts, that comes at once, for all that it started too. Never rejects. */
export function runProgram(program: Program, signal: AbortSignal): Promise<Ended> {
  return new Promise(resolve => {
    const child = start(program);
    const said = { errors: "", output: "" };
    const kill = (): void => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    signal.addEventListener("abort", kill);
    if (signal.aborted) kill();
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said.errors = (said.errors + text).slice(-MOST);
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said.output = (said.output + text).slice(-MOST);
    });
    const end = (code: number | undefined, why = ""): void => {
      signal.removeEventListener("abort", kill);
      const errors = program.log === undefined ? said.errors : (readText(program.log) ?? "").slice(-MOST);
      resolve({ code, said: `${errors}${why}`.trim(), output: said.output.trim() });
    };
    child.once("error", error => end(undefined, messageOf(error)));
    child.once("close", code => end(code ?? undefined));
    child.once("exit", () => letGo(child));
  });
}

/** What it has left behind may hold its pipes open for ever; what it wrote itself is in them by now. */
function letGo({ stdout, stderr }: ChildProcess): void {
  const timer = setTimeout(() => {
    stdout?.destroy();
    stderr?.destroy();
  }, DRAINED_WITHIN);
  timer.unref();
}

function start({ command, env, cwd, log }: Program): ChildProcess {
  const [file = "", ...args] = command;
  // In the agent's own session, it would lead those who look for the attempt's processes to the agent.
  const options = { env, cwd, detached: true };
  if (log === undefined) return spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const into = openSync(log, "w", 0o600);
  try {
    return spawn(file, args, { ...options, stdio: ["ignore", into, into] });
  } finally {
    closeSync(into);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
