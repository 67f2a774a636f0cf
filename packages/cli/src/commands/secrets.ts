import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { MusterError } from "@muster/core/error.ts";
import { EnvName } from "@muster/core/task/task.ts";
import type { Command } from "commander";
import { askHidden } from "../ask.ts";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { age, plural } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";

interface Given {
  readonly valueFrom?: string;
}

export const secrets = (): Command =>
  group("secrets", "Keep secrets that jobs may ask for by name, list or remove them", [
    define(
      "set",
      "Set a secret; jobs see a variable of its name, and nobody sees its value",
      "muster secrets set HF_TOKEN",
    )
      .argument("<name>", "its name, or NAME=value")
      .argument("[source]", "- to read the value from standard input; absent: it is asked for, and not shown")
      .option("--value-from <file>", "file that holds the value")
      .action((name: string, source: string | undefined, options: Given, command: Command) =>
        set(cliOf(command), name, source, options),
      ),
    define("list", "Show the names of the workspace's secrets", "muster secrets list").action(
      (_options: object, command: Command) => list(cliOf(command)),
    ),
    define("rm", "Remove secrets with their values", "muster secrets rm HF_TOKEN")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

async function set(cli: Cli, argument: string, source: string | undefined, options: Given): Promise<void> {
  const { out } = cli;
  const [name = "", inline] = argument.split(/=(.*)/s, 2);
  requireName(name);
  const value = await given(cli, { name, inline, source, file: options.valueFrom });
  const client = await cli.connect();
  const info = await client.secrets.set({ params: { name }, body: { value } });
  out.data(info);
  const isNew = info.createdAt === info.changedAt;
  out.print(isNew ? `Set ${name}.` : `Changed ${name}: jobs that begin from now on see the new value.`);
  const use = `  a task asks for it with: secrets: [${name}]; a command with: --secret ${name}`;
  if (isNew) out.note(out.style("dim", use));
  if (inline !== undefined)
    out.aside(out.style("dim", `  its value stands in your shell's history; muster secrets set ${name} asks for it`));
}

function requireName(name: string): void {
  const read = EnvName.safeParse(name);
  if (read.success) return;
  const why = read.error.issues[0]?.message;
  throw new MusterError("invalid_request", `'${name}' cannot be a secret's name: ${why}`, {
    hint: "jobs see it as a variable of that name, such as HF_TOKEN",
  });
}

interface Sources {
  readonly name: string;
  readonly inline: string | undefined;
  readonly source: string | undefined;
  readonly file: string | undefined;
}

/** The value, from the one place that was named. @throws MusterError `invalid_request` for two of them, or none. */
async function given(cli: Cli, { name, inline, source, file }: Sources): Promise<string> {
  const said = [inline, source, file].filter(one => one !== undefined);
  if (said.length > 1)
    throw new MusterError("invalid_request", "the value is given twice", {
      hint: `give it in one way: muster secrets set ${name}, or ${name}=value, or --value-from FILE, or -`,
    });
  if (source !== undefined && source !== "-")
    throw new MusterError("invalid_request", `what is '${source}'?`, {
      hint: `write NAME=value; or put the value into a file: muster secrets set ${name} --value-from FILE`,
    });
  const value = inline ?? (await read(cli, name, file ?? source));
  if (value !== "") return value;
  throw new MusterError("invalid_request", "no value was given", {
    hint: `type it where it is asked for (muster secrets set ${name}), or send it: muster secrets set ${name} - < FILE`,
  });
}

async function read({ out, cwd }: Cli, name: string, file: string | undefined): Promise<string> {
  if (file !== undefined && file !== "-") return lineOf(load(resolve(cwd, file), file));
  if (file === undefined && out.interactive) return askHidden(`Value of ${name} (not shown): `);
  return lineOf(await textOf(process.stdin));
}

function load(path: string, written: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "there is no such file" : (code ?? message);
    throw new MusterError("invalid_request", `cannot read ${written}: ${what}`, {}, error);
  }
}

/** The break that ends a single line is its editor's, or echo's; a key of several lines needs its last one. */
const lineOf = (text: string): string => text.replace(/^([^\r\n]*)\r?\n$/, "$1");

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.secrets.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length === 0) return out.print("No secrets. Keep one with: muster secrets set NAME");
  const now = Date.now();
  const rows = items.map(one => [
    one.name,
    one.owner,
    age(now - one.createdAt),
    one.changedBy,
    age(now - one.changedAt),
  ]);
  out.print(table(["NAME", "MADE BY", "AGE", "SET BY", "SET"], rows));
}

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  for (const name of names) requireName(name);
  const client = await connect();
  const what = names.length === 1 ? `secret ${names[0]}` : `${plural(names.length, "secret")}: ${names.join(", ")}`;
  const matter = `this removes ${what}, for everybody of the workspace`;
  await confirm({ ...out, yes }, `Remove ${what}? Jobs that wait for it will not begin.`, matter);
  const removed = [];
  for (const name of names) {
    removed.push(await client.secrets.remove({ params: { name } }));
    out.print(`Removed ${name}.`);
  }
  out.data(removed);
}
