/** What nvidia-smi says, on machines that have it. It may hang on a broken driver, and must not hold up anything. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const TIME_LIMIT = 2_000;
const run = promisify(execFile);

/** The absolute path of a program, if there is one. */
export function find(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map(folder => join(folder, program))
    .find(isExecutable);
}

/** One answer for each GPU; none when there is no tool or it fails. */
export async function ask(smi: string | undefined, field: "name" | "utilization.gpu"): Promise<string[]> {
  if (smi === undefined) return [];
  try {
    const { stdout } = await run(smi, [`--query-gpu=${field}`, "--format=csv,noheader,nounits"], {
      timeout: TIME_LIMIT,
      killSignal: "SIGKILL",
    });
    return stdout.split("\n").flatMap(line => (line.trim() === "" ? [] : [line.trim()]));
  } catch {
    // No driver, no device, or too slow: a host without GPUs, as far as anybody can tell.
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
