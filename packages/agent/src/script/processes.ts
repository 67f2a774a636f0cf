/**
 * Which processes belong to an attempt. Each of them inherits a marker in its environment, whatever session it moves
 * to; those that dropped the marker are found by their session or their parent.
 *
 * Gotchas: a pid may be somebody else's by now, so none is believed without the marker. Zombies are over already.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Set to the attempt's folder, which no other attempt on this machine has, not even the same job's on another host. */
export const MARKER = "MUSTER_ATTEMPT_DIR";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** 0: not known. */
  readonly session: number;
  /** Tells two processes apart that had the same pid. */
  readonly began: string;
  readonly environment: string;
  readonly command: string;
}

/** Every process of the attempt, without the agent itself. */
export function membersOf(folder: string, all: readonly Process[] = list()): Process[] {
  const others = all.filter(one => one.pid !== process.pid);
  const marked = others.filter(one => bears(one, folder));
  const sessions = new Set(marked.map(one => one.session).filter(session => session > 1));
  const groups = new Set(marked.map(one => one.group).filter(group => group > 1));
  const pids = new Set(others.filter(one => sessions.has(one.session) || groups.has(one.group)).map(one => one.pid));
  for (const one of marked) pids.add(one.pid);
  addChildren(pids, others);
  return others.filter(one => pids.has(one.pid));
}

/** Whether this pid is still a process of the attempt. */
export function isMember(pid: number, folder: string): boolean {
  const one = process.platform === "linux" ? read(pid) : list().find(other => other.pid === pid);
  return one !== undefined && bears(one, folder);
}

function bears(one: Process, folder: string): boolean {
  if (one.environment.includes(`${MARKER}=${folder}\0`)) return true;
  return one.pid === one.group && one.command.includes(`${folder}/wrap.sh`);
}

function addChildren(pids: Set<number>, all: readonly Process[]): void {
  const found = all.filter(one => pids.has(one.parent) && !pids.has(one.pid));
  if (found.length === 0) return;
  for (const one of found) pids.add(one.pid);
  addChildren(pids, all);
}

/** All processes that this user may look at. */
export function list(): Process[] {
  if (process.platform !== "linux") return parse(ps());
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => read(Number(name)) ?? []);
}

function read(pid: number): Process | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  // The program's name is in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    began: fields[19] ?? "",
    environment: `${attempt(() => readFileSync(`/proc/${pid}/environ`, "utf8")) ?? ""}\0`,
    command: attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "",
  };
}

/** Undefined when the process is gone, or is not ours to look at. */
function attempt(look: () => string): string | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Where there is no /proc, ps prints the environment behind the command. */
const ps = (): string =>
  execFileSync("ps", ["-axEww", "-o", "pid=,ppid=,pgid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });

/** Reads `pid ppid pgid stat command environment` lines. */
export function parse(text: string): Process[] {
  return text.split("\n").flatMap(line => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line);
    if (match === null || match[4]?.startsWith("Z")) return [];
    const command = match[5] ?? "";
    return {
      pid: Number(match[1]),
      parent: Number(match[2]),
      group: Number(match[3]),
      session: 0,
      began: "",
      environment: `${command.split(/ (?=[A-Za-z_][A-Za-z0-9_]*=)/).join("\0")}\0`,
      command,
    };
  });
}
