/**
 * Runs a config against the monitor and writes the graph: `node graph-child.ts <config> <stage> <out>`. A process of its
 * own, because Pulumi's runtime keeps its state in globals, and vitest would transform the program.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Graph } from "./graph.ts";
import { Monitor } from "./monitor.ts";
import { platform } from "./platform.ts";
import { appOf, programOf } from "./program.ts";
import { cli } from "./rpc.ts";
import { run } from "./run.ts";

const [config = "", stage = "", out = ""] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "muster-graph-"));
const scratch = `sst.config.${basename(work)}`;

const regionOf = (provider: unknown): string => String((provider as { region?: string } | undefined)?.region);

try {
  const server = await cli(work);
  process.env.SST_SERVER = server.url;
  const app = await appOf(config, stage, scratch);
  const region = regionOf(app.providers.aws);
  process.env.SST_AWS_REGION = region;
  const program = await programOf(config, app, work, scratch);
  const monitor = new Monitor({ app: app.name, stage, region });
  const load = async () =>
    ((await import(pathToFileURL(program.outfile).href)) as { default(): Promise<unknown> }).default();
  const errors = await run(app, monitor, load);
  const graph: Graph = {
    app,
    resources: [...monitor.resources.values()].sort((a, b) => (a.urn < b.urn ? -1 : 1)),
    builds: server.builds,
    outputs: monitor.outputs,
    errors,
    files: program.files,
  };
  writeFileSync(out, JSON.stringify(graph).replaceAll(work, "<work>"));
} finally {
  rmSync(work, { recursive: true, force: true });
  for (const kind of ["app", "run"]) rmSync(join(platform, `${scratch}.${kind}.mjs`), { force: true });
}
process.exit(0);
