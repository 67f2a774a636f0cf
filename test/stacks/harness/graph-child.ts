/**
 * Runs a config against the monitor and writes the graph: `node graph-child.ts <config> <stage> <out> [program]`, of a program
 * that was built before (program-child.ts) where one is named. A process of its own, because Pulumi's runtime keeps its state
 * in globals, and vitest would transform the program.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Graph } from "./graph.ts";
import { Monitor } from "./monitor.ts";
import { cliOf, type Program, programOf } from "./program.ts";
import { cli } from "./rpc.ts";
import { run } from "./run.ts";

const [config = "", stage = "", out = "", built] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "muster-graph-"));

const regionOf = (provider: unknown): string => String((provider as { region?: string } | undefined)?.region);

const program: Program =
  built === undefined
    ? await programOf(config, stage, `sst.config.${basename(work)}`)
    : JSON.parse(readFileSync(built, "utf8"));
try {
  const server = await cli(work);
  process.env.SST_SERVER = server.url;
  const { app, outfile, files } = program;
  const region = regionOf(app.providers.aws);
  process.env.SST_AWS_REGION = region;
  Object.assign(globalThis, { $cli: cliOf(work) });
  const monitor = new Monitor({ app: app.name, stage, region });
  const load = async () => ((await import(pathToFileURL(outfile).href)) as { default(): Promise<unknown> }).default();
  const errors = await run(app, monitor, load);
  const graph: Graph = {
    app,
    resources: [...monitor.resources.values()].sort((a, b) => (a.urn < b.urn ? -1 : 1)),
    builds: server.builds,
    outputs: monitor.outputs,
    errors,
    files,
  };
  writeFileSync(out, JSON.stringify(graph).replaceAll(work, "<work>"));
} finally {
  rmSync(work, { recursive: true, force: true });
  if (built === undefined) rmSync(program.outfile, { force: true });
}
process.exit(0);
