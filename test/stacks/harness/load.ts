/** Loads graphs: each in a child process, on the real config unless another is named. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Graph } from "./graph.ts";
import { root } from "./platform.ts";

export interface Wanted {
  readonly stage: string;
  /** What whoever deploys has set; nothing of the process's own environment that could matter comes along. */
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: string;
}

/** A machine's own AWS settings and options are not the test's. */
const foreign = (name: string): boolean => /^(AWS_|SST_|MUSTER_|PULUMI_|VITEST|NODE_OPTIONS)/.test(name);

/** @throws Error when the child itself failed; what the program did wrong stands in the graph's `errors`. */
export async function load({ stage, env = {}, config = join(root, "sst.config.ts") }: Wanted): Promise<Graph> {
  const folder = mkdtempSync(join(tmpdir(), "muster-load-"));
  const out = join(folder, "graph.json");
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  try {
    await promisify(execFile)(process.execPath, [join(import.meta.dirname, "graph-child.ts"), config, stage, out], {
      cwd: root,
      env: { ...own, ...env },
      maxBuffer: 1e8,
    });
    return JSON.parse(readFileSync(out, "utf8")) as Graph;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
