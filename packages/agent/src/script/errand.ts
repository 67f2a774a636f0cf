/**
 * A command that is no job's: run as the jobs' user, in the home of the jobs and a session of its own, for a limited time.
 * It leaves no process behind.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { messageOf } from "../disk.ts";
import { basics, type Surroundings } from "../host/surroundings.ts";
import { sleep } from "../wait.ts";
import { end } from "./end.ts";
import { MARKER } from "./processes.ts";
import { toolOf } from "./texts.ts";

export interface Errand {
  /** For bash. */
  readonly text: string;
  /** A path that no other errand or attempt of this machine has; nothing need be there. Its processes are found by it. */
  readonly mark: string;
  readonly machine: Surroundings;
  /** HOME of the jobs. */
  readonly home: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Seconds. */
  readonly limit: number;
  /** Seconds between TERM and KILL, for all that is left of it at its end. */
  readonly grace: number;
  /** Whether what it prints is wanted. */
  readonly isHeard: boolean;
}

export interface Done {
  /** 128 + n when signal n ended it; absent when it never ran, or does not end. */
  readonly code?: number;
  /** Whether it was made to end. */
  readonly isCut: boolean;
  /** The end of what it printed, or why it never ran. */
  readonly said: string;
}

/** Characters kept of what it prints. */
const MOST = 4_000;
/** Seconds in which processes go that were sent KILL; what the kernel does not let go is left. */
const KILLED_WITHIN = 10;

/** Ends what is left of one. */
export const endErrand = (mark: string, grace: number): Promise<void> => end(mark, grace, undefined, KILLED_WITHIN);

/** What is still in the pipe, in ms. */
const DRAINED_WITHIN = 500;

/** Returns when it is over, or was made to end, as it also is when `quit` aborts. Never rejects. */
export async function run(errand: Errand, quit: AbortSignal): Promise<Done> {
  const said = { text: "" };
  try {
    const child = start(errand);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      said.text = (said.text + text).slice(-MOST);
    });
    const closed = once(child, "close").catch(() => undefined);
    const isCut = !(await within(once(child, "exit"), errand.limit * 1000, quit));
    await endErrand(errand.mark, errand.grace);
    await within(closed, DRAINED_WITHIN);
    child.stdout?.destroy();
    const code = codeOf(child);
    return { ...(code !== undefined && { code }), isCut, said: said.text };
  } catch (error) {
    return { isCut: false, said: messageOf(error) };
  }
}

/**
 * Puts a real pipe before the agent's, which is a socket: scripts open /dev/stderr anew. Who brings home what comes out of it
 * must outlive the signal that ends the others, from its birth on: what ends at once is followed by the signal at once.
 */
const PLUMB = `trap '' TERM INT HUP
exec > >(PATH=/usr/bin:/bin; exec cat) 2>&1
trap - TERM INT HUP
exec "$@"`;

/** The kernel may end it for want of memory, however well the agent is protected. */
const EXPOSE = `{ echo 0 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$@"`;

function start({ text, mark, machine, home, env, isHeard }: Errand): ChildProcess {
  const { bash, account } = machine;
  // What is given to the user as standard output must be a pipe of its own: the empty device is everybody's.
  const [begin, as] = isHeard ? [PLUMB, account?.as ?? []] : [EXPOSE, account?.plain ?? []];
  return spawn(bash, ["-pc", begin, "muster", ...as, bash, "-c", toolOf(text), "muster"], {
    cwd: home,
    env: { ...basics(machine, home), ...env, [MARKER]: mark },
    detached: true,
    stdio: ["ignore", isHeard ? "pipe" : "ignore", "ignore"],
  });
}

/** Whether it came in so many ms, before `quit`. */
async function within(work: Promise<unknown>, ms: number, quit?: AbortSignal): Promise<boolean> {
  const done = new AbortController();
  const signal = quit === undefined ? done.signal : AbortSignal.any([done.signal, quit]);
  const late = sleep(ms, signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    done.abort();
  }
}

function codeOf({ exitCode, signalCode }: ChildProcess): number | undefined {
  if (exitCode !== null) return exitCode;
  return signalCode === null ? undefined : 128 + constants.signals[signalCode];
}
