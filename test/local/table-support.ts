/** What the tests of the local table share: a folder, a clock, and processes that write to the same file. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { openTable, type TableOptions } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { onTestFinished } from "vitest";

export const digest = createDigest("a key of these tests, 32 bytes long, or more");

/** A file in a folder that lives as long as the test. */
export function freshFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "muster-table-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "state", "table.db");
}

export function open(options: Partial<TableOptions> = {}) {
  const table = openTable({ path: ":memory:", digest, ...options });
  onTestFinished(() => table.close());
  return table;
}

export function clock() {
  let time = 1_800_000_000_000;
  return {
    now: () => time,
    advance: (ms: number) => {
      time += ms;
    },
  };
}

export type Child = ChildProcessByStdio<null, Readable, null>;

/** A process of its own that runs `table-child.ts`. */
export function child(...args: readonly string[]): { process: Child; lines: AsyncIterable<string> } {
  const file = join(import.meta.dirname, "table-child.ts");
  const started = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void started.kill("SIGKILL"));
  return { process: started, lines: createInterface(started.stdout) };
}

export const exited = (started: Child): Promise<void> =>
  new Promise(resolve => {
    started.once("close", () => resolve());
  });
