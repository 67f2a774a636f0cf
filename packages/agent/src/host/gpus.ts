/** What nvidia-smi says, on machines that have it. It may hang on a broken driver, and must not hold up anything. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { share } from "./cores.ts";

const TIME_LIMIT = 2_000;
const LONG_LIMIT = 30_000;
const run = promisify(execFile);

/** The absolute path of a program, if there is one. */
export function find(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map(folder => join(folder, program))
    .find(isExecutable);
}

/** One answer for each GPU; none when there is no tool or it fails, or takes longer than so many ms. */
export async function ask(
  smi: string | undefined,
  field: "name" | "utilization.gpu",
  limit = TIME_LIMIT,
): Promise<string[]> {
  if (smi === undefined) return [];
  try {
    const { stdout } = await run(smi, [`--query-gpu=${field}`, "--format=csv,noheader,nounits"], {
      timeout: limit,
      killSignal: "SIGKILL",
    });
    return stdout.split("\n").flatMap(line => (line.trim() === "" ? [] : [line.trim()]));
  } catch {
    // No driver, no device, or too slow: a host without GPUs, as far as anybody can tell.
    return [];
  }
}

/** How busy each GPU is, 0 to 1. */
export const busyGpus = async (smi: string | undefined, limit?: number): Promise<number[]> =>
  (await ask(smi, "utilization.gpu", limit)).map(percent => share(Number(percent) || 0, 100));

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
