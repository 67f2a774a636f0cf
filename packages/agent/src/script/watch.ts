/** What a script's files and processes say of it. */
import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { readStart, readText } from "../disk.ts";
import { Wake } from "../wait.ts";
import type { ScriptPhase } from "./texts.ts";

/** The exit code that the wrapper wrote; undefined until then. */
export const exitCode = (folder: string, phase: ScriptPhase): number | undefined =>
  codeIn(join(folder, `${phase}.exit`));

/** The exit code in a file; undefined until it is whole. A job may have written there, too: it is never more than a code can be. */
export function codeIn(path: string): number | undefined {
  const match = /^(\d+)\n$/.exec(readStart(path, LONGEST_CODE));
  return match === null ? undefined : Math.min(255, Number(match[1]));
}

const LONGEST_CODE = 16;

/** The wrapper's pid; undefined until it has begun. */
export function wrapperPid(folder: string, phase: ScriptPhase): number | undefined {
  const match = /^(\d+)\n$/.exec(readText(join(folder, `${phase}.pid`)) ?? "");
  return match === null ? undefined : Number(match[1]);
}

/** Rings when something happens in a folder. May miss things: a wait on it needs a time limit. */
export class FolderWatch {
  readonly wake: Wake;
  readonly #watcher: FSWatcher | undefined;

  constructor(folder: string, wake = new Wake()) {
    this.wake = wake;
    this.#watcher = open(folder, () => wake.ring());
  }

  close(): void {
    this.#watcher?.close();
  }
}

function open(folder: string, ring: () => void): FSWatcher | undefined {
  try {
    return watch(folder, ring).on("error", ring);
  } catch {
    // The system has no watches left; the time limits do the work.
    return undefined;
  }
}
