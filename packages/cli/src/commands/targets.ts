import type { OutputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { describe } from "@muster/core/cluster/idle.ts";
import { MusterError } from "@muster/core/error.ts";
import { isNamed } from "@muster/core/target/fill.ts";
import { Name } from "@muster/core/task/task.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { age, plural } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";
import { count, TaskCommand } from "../task-command.ts";
import { readTask } from "../task-file.ts";

type Info = OutputOf<Routes["targets.get"]>;

interface Said {
  readonly provider?: string;
  readonly nodes?: number;
}

export const targets = (): Command =>
  group("targets", "Keep named places to run jobs: a provider, and what is asked of its machines", [
    setting(),
    define("list", "Show the workspace's targets", "muster targets list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("show", "Show one target", "muster targets show gpus")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    define("rm", "Remove targets; clusters that were made with them stay", "muster targets rm gpus")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

function setting(): TaskCommand {
  const command = new TaskCommand("set")
    .description("Set a target, or set it anew; one with a cloud's name stands in for that cloud")
    .addHelpText(
      "after",
      "\nWhat is asked of its machines is written with the keys of task files:\n" +
        "  --resources.instance_type g5.xlarge   --idle.after 10m\n" +
        "A target that is called gcp runs here what says `cloud: gcp`.\n\n" +
        "Example:\n  muster targets set gcp --provider local",
    )
    .argument("<name>", "its name, for --target; or a cloud's that files name")
    .option("--provider <name>", "provider of this control plane whose machines they are")
    .option("--nodes <number>", "hosts, for tasks that are for one", count(1, 1024)) as TaskCommand;
  return command.action((name: string, options: Said) => set(cliOf(command), name, options, command.overrides));
}

async function set(cli: Cli, name: string, said: Said, overrides: readonly string[]): Promise<void> {
  requireName(name);
  requireOwn(overrides);
  const { tasks } = await readTask(cli.cwd, { file: undefined, overrides, bare: true, dialect: "muster" });
  const { provider: cloud, ...machine } = tasks[0]?.task.resources ?? {};
  const container = tasks[0]?.task.container;
  const resources = { ...machine, ...(container && { image: `docker:${container.image}` }) };
  if (said.provider !== undefined && cloud !== undefined && said.provider !== cloud)
    throw new MusterError(
      "invalid_request",
      `--provider ${said.provider} and --resources.cloud ${cloud} contradict each other`,
      {
        hint: "say --provider alone: it names the provider whose machines they are",
      },
    );
  const provider = said.provider ?? cloud;
  if (provider === undefined)
    throw new MusterError("invalid_request", "which provider?", {
      hint: `name one: muster targets set ${name} --provider local; see which there are with: muster which`,
    });
  const idle = tasks[0]?.idle;
  const nodes = said.nodes;
  const body = { provider, resources, ...(nodes !== undefined && { nodes }), ...(idle !== undefined && { idle }) };
  const client = await cli.connect();
  const info = await client.targets.set({ params: { name }, body });
  cli.out.data(info);
  cli.out.print(`Set ${info.name}: ${facts(info)}.`);
  const { items: providers } = await client.providers.list({});
  const uses = [
    `use it with: muster launch FILE --target ${info.name}`,
    ...(providers.some(one => isNamed(info, one.name)) ? [] : [`files that say cloud: ${info.name} run here now`]),
  ];
  for (const use of uses) cli.out.note(cli.out.style("dim", `  ${use}`));
}

/** All that was set, on one line. */
const facts = (info: Info): string =>
  [
    `provider ${info.provider}`,
    ...(info.nodes === undefined ? [] : [plural(info.nodes, "host")]),
    ...(asked(info) === "-" ? [] : [asked(info)]),
    ...(info.idle === undefined ? [] : [describe(info.idle)]),
  ].join(", ");

function requireName(name: string): void {
  const read = Name.safeParse(name);
  if (!read.success)
    throw new MusterError("invalid_request", `'${name}' cannot be a target's name: ${read.error.issues[0]?.message}`);
}

/** A target says nothing of what runs on it. */
function requireOwn(overrides: readonly string[]): void {
  const flags = overrides.filter(word => word.startsWith("--"));
  const stray = flags.find(flag => !/^--(resources|idle)(?=[.=[]|$)/.test(flag));
  if (stray === undefined) return;
  throw new MusterError("invalid_request", `${stray.split("=", 1)[0]} is no option of a target`, {
    hint: "a target has --provider, --nodes, --resources.KEY and --idle.KEY",
  });
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.targets.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length === 0) return out.print("No targets. Keep one with: muster targets set NAME --provider PROVIDER");
  const now = Date.now();
  const rows = items.map(one => [
    one.name,
    one.provider,
    one.nodes === undefined ? "-" : String(one.nodes),
    asked(one),
    one.changedBy,
    age(now - one.changedAt),
  ]);
  out.print(table(["NAME", "PROVIDER", "HOSTS", "MACHINES", "SET BY", "SET"], rows));
}

/** `instance_type large, spot`; a dash for nothing. */
const asked = ({ resources }: Info): string =>
  Object.entries(resources)
    .map(([key, value]) => {
      if (typeof value === "boolean") return `${value ? "" : "no "}${word(key)}`;
      return `${word(key)} ${short(value)}`;
    })
    .join(", ") || "-";

/** As task files spell it. */
const word = (key: string): string => key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

function short(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return value.join("+");
  const { count: number, gib, atLeast } = value as { count?: number; gib?: number; atLeast?: boolean };
  if (atLeast !== undefined) return `${number ?? gib}${atLeast ? "+" : ""}`;
  return Object.entries(value)
    .map(([name, one]) => `${name}:${one}`)
    .join("+");
}

async function show({ out, connect }: Cli, name: string): Promise<void> {
  const client = await connect();
  const info = await client.targets.get({ params: { name } });
  out.data(info);
  const { name: is, provider, nodes, resources, idle } = info;
  const facts: Readonly<Record<string, string | undefined>> = {
    name: is,
    provider,
    hosts: nodes === undefined ? undefined : `${nodes}, for tasks that are for one`,
    ...Object.fromEntries(Object.entries(resources).map(([key, value]) => [word(key), short(value)])),
    idle: idle === undefined ? undefined : describe(idle),
    "set by": `${info.changedBy}, ${new Date(info.changedAt).toISOString()}`,
  };
  const rows = Object.entries(facts).filter(([, fact]) => fact !== undefined);
  const width = Math.max(...rows.map(([label]) => label.length));
  for (const [label, text] of rows) out.print(`${out.paint("dim", label.padEnd(width))}  ${text}`);
}

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  for (const name of names) await client.targets.get({ params: { name } });
  const matter = `this removes ${names.join(", ")}, for everybody of the workspace`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed = [];
  for (const name of names) {
    removed.push(await client.targets.remove({ params: { name } }));
    out.print(`Removed ${name}.`);
  }
  out.data(removed);
}
