/** Muster's own command line, which is bundled beside this program. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const COMMAND = fileURLToPath(new URL("./muster.js", import.meta.url));

export interface Settings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Ended {
  readonly exitCode: number;
  /** What it wrote to stdout: its answer, as JSON. */
  readonly answer: string;
  /** Why it failed, where that is Muster's own to say. */
  readonly reason?: string | undefined;
}

/** How much of what is said on the way is kept for its last line, in bytes. */
const TAIL = 16_384;

/** Runs a command; what it says on the way, a job's log included, goes to the log of the workflow. */
export async function muster(args: readonly string[], { env, cwd }: Settings): Promise<Ended> {
  const child = spawn(process.execPath, [COMMAND, ...args, "--json"], {
    env,
    ...(cwd !== undefined && { cwd }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  using _ = passing(child);
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  let tail = Buffer.alloc(0);
  child.stderr.on("data", (part: Buffer) => {
    tail = Buffer.concat([tail, part]).subarray(-TAIL);
  });
  child.stderr.pipe(process.stderr, { end: false });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? (signal === "SIGTERM" ? 143 : 130)));
  });
  return { exitCode, answer: Buffer.concat(parts).toString(), reason: reasonOf(tail.toString()) };
}

const Failure = z.object({ message: z.string(), details: z.object({ hint: z.string().optional() }) });

/** The last line, where it is a failure as `--json` tells it. */
function reasonOf(said: string): string | undefined {
  const line = said.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return undefined;
  try {
    const { message, details } = Failure.parse(JSON.parse(line));
    return details.hint === undefined ? message : `${message} (${details.hint})`;
  } catch {
    // A job may end with a line of its own that begins so.
    return undefined;
  }
}

/** A workflow that is cancelled tells this process alone: SIGINT first, SIGTERM some seconds later. */
function passing(child: ChildProcess): Disposable {
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  return { [Symbol.dispose]: () => void process.off("SIGINT", pass).off("SIGTERM", pass) };
}
