/**
 * The control plane on this machine: found, or started, or restarted when it is of another version.
 *
 * *Lifecycle.* A server holds a lock in its home and writes `server.json` when it answers. Two commands at once may both
 * start one: the server that loses the lock leaves, and both commands find the winner.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MusterError } from "@muster/core/error.ts";

export interface Server {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
}

export interface Place {
  readonly endpoint: string;
  readonly token: string;
  /** Whether this call started the server. */
  readonly started: boolean;
}

const ENTRY = fileURLToPath(new URL("../bin/muster.js", import.meta.url));
const POLL_MS = 20;
const START_MS = 15_000;
const STOP_MS = 15_000;
/** After a server left the field to another, that other one may still be on its way. */
const LOSER_MS = 1000;
/** How long a server that was asked to end may take before its silence counts. */
const QUIET_MS = 3000;
const LOG_LINES = 15;

export const homeOf = (env: NodeJS.ProcessEnv): string => resolve(env.MUSTER_HOME || join(homedir(), ".muster"));

/** The server of this home as it wrote itself down; whether it answers is another question. */
export function recorded(home: string): Server | undefined {
  const text = readText(join(home, "server.json"));
  try {
    const { url, pid, version } = JSON.parse(text ?? "{}") as Partial<Server>;
    return url !== undefined && pid !== undefined && version !== undefined ? { url, pid, version } : undefined;
  } catch {
    // Half written: the server is just starting.
    return undefined;
  }
}

/** The server of this home, when it answers. */
export async function running(home: string): Promise<Server | undefined> {
  const server = recorded(home);
  return server !== undefined && (await answers(server)) ? server : undefined;
}

/** The control plane of this home, started when none runs. */
export async function ensure(home: string, version: string): Promise<Place> {
  const server = await running(home);
  if (server?.version === version) return { ...access(home, server), started: false };
  if (server !== undefined) await stop(home);
  return { ...access(home, await start(home, version)), started: true };
}

/** The control plane of this home, when it runs. */
export async function found(home: string): Promise<Place | undefined> {
  const server = await running(home);
  return server && { ...access(home, server), started: false };
}

/** Stops the server of this home. @returns false when none was running. */
export async function stop(home: string): Promise<boolean> {
  const server = await running(home);
  if (server === undefined) return false;
  signal(server.pid, "SIGTERM");
  const begun = performance.now();
  for (;;) {
    const waited = performance.now() - begun;
    if (!signal(server.pid, 0) || isDead(server.pid)) return true;
    // Where that cannot be told: what does not answer any more is as good as gone.
    if (waited > QUIET_MS && !(await answers(server))) return true;
    if (waited > STOP_MS)
      throw new MusterError("unavailable", `the control plane (process ${server.pid}) does not stop`, {
        hint: `end it with: kill -9 ${server.pid}`,
      });
    await pause(POLL_MS);
  }
}

async function start(home: string, version: string): Promise<Server> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + START_MS;
  const seen = (readText(join(home, "server.log")) ?? "").length;
  let attempt = launch(home);
  for (;;) {
    const server = await running(home);
    if (server?.version === version) return server;
    const { code = 0, at } = attempt.ended;
    if (code !== 0) throw notStarted(home, seen, `ended with code ${code}`);
    if (performance.now() > deadline) throw notStarted(home, seen, `did not answer within ${START_MS / 1000} seconds`);
    // It left because another holds the lock: one that is about to answer, or one that is just ending.
    if (at !== undefined && performance.now() - at > LOSER_MS) attempt = launch(home);
    await pause(POLL_MS);
  }
}

interface Attempt {
  /** When and with what code its process ended; empty while it runs. */
  readonly ended: { code?: number; at?: number };
}

/** The server outlives this command, away from its folder and its terminal. */
function launch(home: string): Attempt {
  const log = openSync(join(home, "server.log"), "a", 0o600);
  const child = spawn(process.execPath, [ENTRY, "__serve", "--home", home], {
    cwd: home,
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  const ended: Attempt["ended"] = {};
  child.once("exit", code => Object.assign(ended, { code: code ?? 1, at: performance.now() }));
  child.once("error", () => Object.assign(ended, { code: 1, at: performance.now() }));
  return { ended };
}

/** Tells what the server has logged since the log was `seen` characters long. */
function notStarted(home: string, seen: number, how: string): MusterError {
  const path = join(home, "server.log");
  const lines = (readText(path) ?? "").slice(seen).trimEnd().split("\n").slice(-LOG_LINES);
  return new MusterError("unavailable", `the control plane on this machine ${how}`, {
    hint: `its log is ${path}`,
    log: lines,
  });
}

function access(home: string, server: Server): { endpoint: string; token: string } {
  const token = readText(join(home, "token"))?.trim();
  if (token === undefined || token === "")
    throw new MusterError("unauthenticated", `no token in ${join(home, "token")}`, {
      hint: "restart the control plane: muster local stop && muster local start",
    });
  return { endpoint: server.url, token };
}

async function answers(server: Server): Promise<boolean> {
  try {
    const response = await fetch(new URL("/v1/health", server.url), { signal: AbortSignal.timeout(2000) });
    const { ok } = (await response.json()) as { ok?: unknown };
    return ok === true;
  } catch {
    // Nobody there: that is the answer.
    return false;
  }
}

/** Whether a process has ended and only nobody has reaped it, as in containers without an init. Linux tells. */
function isDead(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`) ?? "";
  return stat
    .slice(stat.lastIndexOf(")") + 1)
    .trimStart()
    .startsWith("Z");
}

/** Sends a signal; false when there is no such process. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
