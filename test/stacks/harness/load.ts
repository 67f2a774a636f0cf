/** Loads graphs: each in a child process, on the real config unless another is named. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Graph } from "./graph.ts";
import { root } from "./platform.ts";
import type { Program } from "./program.ts";

export interface Wanted {
  readonly stage: string;
  /** What whoever deploys has set; nothing of the process's own environment that could matter comes along. */
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: string;
  /** What was built of it before, for the same stage and an environment that gives the same app. */
  readonly built?: Built;
}

/** A program for many to run. Whoever had it built disposes of it. */
export interface Built extends Disposable {
  /** A file that says of what it consists. */
  readonly path: string;
}

/** A machine's own AWS settings and options are not the test's. */
const foreign = (name: string): boolean => /^(AWS_|SST_|MUSTER_|PULUMI_|VITEST|NODE_OPTIONS)/.test(name);

const REAL = join(root, "sst.config.ts");

async function child(name: string, args: readonly string[], env: Wanted["env"]): Promise<void> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, name), ...args], {
    cwd: root,
    env: { ...own, ...env },
    maxBuffer: 1e8,
  });
}

/** @throws Error when the child itself failed; what the program did wrong stands in the graph's `errors`. */
export async function load({ stage, env = {}, config = REAL, built }: Wanted): Promise<Graph> {
  const folder = mkdtempSync(join(tmpdir(), "muster-load-"));
  const out = join(folder, "graph.json");
  try {
    await child("graph-child.ts", [config, stage, out, ...(built === undefined ? [] : [built.path])], env);
    return JSON.parse(readFileSync(out, "utf8")) as Graph;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the program of a config: most of the work of whoever loads it once. */
export async function built({ stage, env = {}, config = REAL }: Wanted): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "muster-program-"));
  const path = join(folder, "program.json");
  await child("program-child.ts", [config, stage, path], env);
  const { outfile } = JSON.parse(readFileSync(path, "utf8")) as Program;
  return {
    path,
    [Symbol.dispose]: () => {
      for (const made of [folder, outfile]) rmSync(made, { recursive: true, force: true });
    },
  };
}
