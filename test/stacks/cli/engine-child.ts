/**
 * Stands in for `pulumi`, which npm does not have, where SST's command line starts it: `node engine-child.ts <out> <the
 * command line's own arguments>`. A preview runs the program that the command line has built, and writes the graph.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Monitor } from "../harness/monitor.ts";
import { run } from "../harness/run.ts";

/** The one that SST asks for. */
const VERSION = "v3.215.0";

const [out = "", command = "", ...args] = process.argv.slice(2);

const after = (start: string): string => args.find(arg => arg.startsWith(start))?.slice(start.length) ?? "";

function initialize(): void {
  const [, name = "", stage = ""] = (args[1] ?? "").split("/");
  mkdirSync(`.pulumi/stacks/${name}`, { recursive: true });
  const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: VERSION };
  writeFileSync(
    `.pulumi/stacks/${name}/${stage}.json`,
    JSON.stringify({ version: 3, checkpoint: { stack: args[1], latest: { manifest } } }),
  );
}

async function preview(): Promise<void> {
  const [, name = "", stage = ""] = (args[args.indexOf("--stack") + 1] ?? "").split("/");
  const program = /^main: (.*)$/m.exec(readFileSync("Pulumi.yaml", "utf8"))?.[1]?.trim() ?? "";
  const tags = JSON.parse(after("aws:defaultTags=")) as unknown;
  const monitor = new Monitor({ app: name, stage, region: after("aws:region=") });
  // It runs as it is imported; what it exports is what came of it.
  const load = async () => ((await import(pathToFileURL(program).href)) as { default: unknown }).default;
  const errors = await run({ name, stage, providers: {} }, monitor, load);
  writeFileSync(out, JSON.stringify({ errors, tags, resources: [...monitor.resources.values()] }));
}

if (command === "version") process.stdout.write(`${VERSION}\n`);
if (command === "stack") initialize();
if (command === "preview") await preview();
process.exit(0);
