/**
 * Which processes belong to an attempt. Each of them inherits a marker in its environment, whatever session it moves
 * to; those that dropped the marker are found by their session or their parent.
 *
 * Gotchas: a pid may be somebody else's by now, so none is believed without the marker. Zombies are over already. While the
 * kernel puts one program in the place of another, a process shows no environment: it is looked at again.
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

/** Set to the attempt's folder, which no other attempt on this machine has, not even the same job's on another host. */
export const MARKER = "MUSTER_ATTEMPT_DIR";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** 0: not known. */
  readonly session: number;
  readonly marked: boolean;
  /** With the pid, names a process for ever. 0: not known. */
  readonly start: number;
}

/** What a process must have in its environment, or, when it leads its group, in its command, to count as marked. */
export interface Mark {
  readonly environment: string;
  readonly command: string;
}

export const markOf = (folder: string): Mark => ({
  environment: `${MARKER}=${folder}\0`,
  command: `${folder}/wrap.sh`,
});

/**
 * Every process of the attempt, without the agent itself. Those that were `known` as such stay so: what lost its marker,
 * as under sudo, may also lose its parent while the attempt is being ended.
 */
export function membersOf(
  folder: string,
  all: readonly Process[] = list(markOf(folder)),
  known: ReadonlySet<string> = new Set(),
): Process[] {
  const others = all.filter(one => one.pid !== process.pid);
  const marked = others.filter(one => one.marked || known.has(nameOf(one)));
  const sessions = new Set(marked.map(one => one.session).filter(session => session > 1));
  const groups = new Set(marked.map(one => one.group).filter(group => group > 1));
  const pids = new Set(others.filter(one => sessions.has(one.session) || groups.has(one.group)).map(one => one.pid));
  for (const one of marked) pids.add(one.pid);
  addChildren(pids, others);
  return others.filter(one => pids.has(one.pid));
}

/** The same for no other process of this machine's life. */
export const nameOf = ({ pid, start }: Process): string => `${pid} ${start}`;

/** Whether this pid is still a process of the attempt. */
export function isMember(pid: number, folder: string): boolean {
  const mark = markOf(folder);
  const one = process.platform === "linux" ? read(pid, mark) : list(mark).find(other => other.pid === pid);
  return one?.marked === true;
}

function addChildren(pids: Set<number>, all: readonly Process[]): void {
  const found = all.filter(one => pids.has(one.parent) && !pids.has(one.pid));
  if (found.length === 0) return;
  for (const one of found) pids.add(one.pid);
  addChildren(pids, all);
}

/** All processes that this user may look at. */
export function list(mark: Mark): Process[] {
  if (process.platform !== "linux") return parse(ps(), mark);
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => read(Number(name), mark) ?? []);
}

/** A process that the kernel is making another program of is looked at this often, a millisecond apart. */
const LOOKS = 200;
/** Those that have seemed so all the time: there are kernels that never say otherwise. */
const seeming = new Set<string>();

function read(pid: number, mark: Mark): Process | undefined {
  let seen = look(pid, mark);
  for (let looks = 1; seen?.isBecoming && looks < LOOKS && !seeming.has(nameOf(seen.process)); looks++) {
    Atomics.wait(nothing, 0, 0, 1);
    seen = look(pid, mark);
  }
  if (seen?.isBecoming) seeming.add(nameOf(seen.process));
  return seen?.process;
}

/** What nobody ever changes, to wait for. */
const nothing = new Int32Array(new SharedArrayBuffer(4));

interface Look {
  readonly process: Process;
  /** It has shown no environment because it is becoming another program. */
  readonly isBecoming: boolean;
}

function look(pid: number, mark: Mark): Look | undefined {
  const fields = statusOf(pid);
  if (fields === undefined) return undefined;
  const [parent, group] = [Number(fields[1]), Number(fields[2])];
  const environment = slurp(`/proc/${pid}/environ`);
  const isEmpty = environment?.length === 0;
  const isMarked = environment?.includes(mark.environment) === true;
  const marked = isMarked || (pid === group && slurp(`/proc/${pid}/cmdline`)?.includes(mark.command) === true);
  const process = { pid, parent, group, session: Number(fields[3]), start: Number(fields[19]), marked };
  return { process, isBecoming: isEmpty && !marked && isBecoming(pid) };
}

/** Of `/proc/PID/stat`, by proc(5), counted from the state: the flags, where the code begins, the environment's two ends. */
const [FLAGS, CODE, ENVIRONMENT, ENVIRONMENT_END] = [6, 23, 47, 48];
/** PF_EXITING and PF_KTHREAD of the kernel's sched.h: these have no memory, and so no environment. */
const WITHOUT_MEMORY = 0x4 | 0x200000;

/**
 * Whether a process that has just shown no environment was, at that moment, becoming another program: its new memory has no
 * environment until its program is there, which it may be by now. Where the code begins is what the kernel writes after that.
 */
function isBecoming(pid: number): boolean {
  const fields = statusOf(pid);
  if (fields === undefined || (Number(fields[FLAGS]) & WITHOUT_MEMORY) !== 0) return false;
  return fields[CODE] === "0" || fields[ENVIRONMENT] !== fields[ENVIRONMENT_END];
}

/** What the kernel says of a process, from its state on. Undefined when it is over. */
function statusOf(pid: number): string[] | undefined {
  const stat = slurp(`/proc/${pid}/stat`)?.toString("latin1") ?? "";
  // The program's name is in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" || fields[0] === "Z" || fields[0] === "X" ? undefined : fields;
}

/** The next call writes over it. readFile would take 64 KB for each of hundreds of files. */
const scratch = { bytes: Buffer.alloc(64 * 1024) };

/** Undefined when the process is gone, or is not ours to look at. */
function slurp(path: string): Buffer | undefined {
  try {
    const file = openSync(path, "r");
    try {
      return fill(file, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function fill(file: number, from: number): Buffer {
  if (from === scratch.bytes.length) scratch.bytes = Buffer.concat([scratch.bytes], from * 2);
  const got = readSync(file, scratch.bytes, from, scratch.bytes.length - from, null);
  return got === 0 ? scratch.bytes.subarray(0, from) : fill(file, from + got);
}

/** Where there is no /proc, ps prints the environment behind the command. */
const ps = (): string =>
  execFileSync("ps", ["-axEww", "-o", "pid=,ppid=,pgid=,stat=,command="], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });

/** Reads `pid ppid pgid stat command environment` lines. */
export function parse(text: string, mark: Mark): Process[] {
  return text.split("\n").flatMap(line => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line);
    if (match === null || match[4]?.startsWith("Z")) return [];
    const [pid, parent, group] = [Number(match[1]), Number(match[2]), Number(match[3])];
    const command = match[5] ?? "";
    const environment = `${command.split(/ (?=[A-Za-z_][A-Za-z0-9_]*=)/).join("\0")}\0`;
    const marked = environment.includes(mark.environment) || (pid === group && command.includes(mark.command));
    return { pid, parent, group, session: 0, start: 0, marked };
  });
}
