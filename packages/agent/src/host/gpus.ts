/** What nvidia-smi says, on machines that have it. It may hang on a broken driver, and must not hold up anything. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { sleep } from "../wait.ts";
import { share } from "./cores.ts";

const TIME_LIMIT = 2_000;
const LONG_LIMIT = 30_000;
/** In ms: what goes after KILL goes within that. */
const KILLED_WITHIN = 1_000;
const run = promisify(execFile);

/** The absolute path of a program, if there is one. */
export function find(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map(folder => join(folder, program))
    .find(isExecutable);
}

/** Those that were sent KILL, and that a broken driver does not let go: while there is one, no other shall join it. */
let stuck = 0;

/** One answer for each GPU; none when there is no tool or it fails; undefined when it takes longer than so many ms. */
export async function ask(
  smi: string | undefined,
  field: "name" | "utilization.gpu",
  limit = TIME_LIMIT,
): Promise<string[] | undefined> {
  if (smi === undefined) return [];
  if (stuck > 0) return undefined;
  const answer = query(smi, field, limit);
  const given = new AbortController();
  const late = sleep(limit + KILLED_WITHIN, given.signal).then(
    () => "late" as const,
    () => undefined,
  );
  const first = await Promise.race([answer, late]);
  given.abort();
  if (first !== "late") return first;
  stuck++;
  void answer.finally(() => stuck--);
  return undefined;
}

async function query(smi: string, field: string, limit: number): Promise<string[] | undefined> {
  try {
    const { stdout } = await run(smi, [`--query-gpu=${field}`, "--format=csv,noheader,nounits"], {
      timeout: limit,
      killSignal: "SIGKILL",
    });
    return stdout.split("\n").flatMap(line => (line.trim() === "" ? [] : [line.trim()]));
  } catch (error) {
    // No driver, or no device: a host without GPUs, as far as anybody can tell.
    return error instanceof Error && "killed" in error && error.killed === true ? undefined : [];
  }
}

/**
 * How busy each GPU is, 0 to 1; undefined for one of which the tool does not say, as of one that is cut into instances
 * (MIG: `[N/A]`), and as a whole when the tool takes longer than so many ms.
 */
export const busyGpus = async (smi: string | undefined, limit?: number): Promise<(number | undefined)[] | undefined> =>
  (await ask(smi, "utilization.gpu", limit))?.map(percent =>
    /^\d/.test(percent) ? share(Number(percent), 100) : undefined,
  );

export interface Shown {
  /** Their numbers; undefined when the tool did not answer. */
  readonly found: readonly number[] | undefined;
  /** What the tool has to say beyond that, in one line; empty when it has nothing. */
  readonly said: string;
}

/** Which GPUs are there now. Without its daemon, the driver takes some seconds for each of them. */
export async function indices(smi: string, signal: AbortSignal, limit = LONG_LIMIT): Promise<Shown> {
  const late = AbortSignal.timeout(limit);
  const either = { signal: AbortSignal.any([signal, late]), killSignal: "SIGKILL" } as const;
  try {
    const { stdout, stderr } = await run(smi, ["--query-gpu=index", "--format=csv,noheader"], either);
    return read(`${stdout}\n${stderr}`);
  } catch (error) {
    if (late.aborted) return { found: undefined, said: `nvidia-smi did not answer within ${limit / 1000} s` };
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
    // It lists those that are well, and fails for the others.
    const shown = read(`${stdout}\n${stderr}`);
    return shown.found?.length === 0
      ? { found: undefined, said: `nvidia-smi failed${shown.said === "" ? "" : `: ${shown.said}`}` }
      : shown;
  }
}

function read(text: string): Shown {
  const lines = text.split("\n").flatMap(line => (line.trim() === "" ? [] : [line.trim()]));
  const numbers = lines.filter(line => /^\d+$/.test(line)).map(Number);
  return { found: numbers, said: (lines.find(line => !/^\d+$/.test(line)) ?? "").slice(0, 300) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
