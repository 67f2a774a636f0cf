import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { type Dialect, dialects } from "@muster/task/dialect.ts";
import { isSecretName } from "@muster/task/envs.ts";
import type { Result, TargetDraft } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { quoted } from "../exec/words.ts";
import { readTask } from "../task-file.ts";

interface ImportOptions {
  readonly dialect?: Dialect;
  readonly output?: string;
}

export const importing = (): Command => {
  const command = define(
    "import",
    "Show what another launcher's file says in Muster's own form; nothing is sent",
    "muster import cluster.yaml --output mine.yaml",
  )
    .argument("<file>", "file of SkyPilot, Oumi, Flambé, XT or Runhouse; - for standard input")
    .addOption(new Option("--dialect <name>", "whose rules the file is read by").choices(dialects))
    .option("-o, --output <file>", "write it there, unless there is such a file");
  return command.action((file: string, options: ImportOptions) => show(cliOf(command), file, options));
};

async function show({ out, cwd }: Cli, file: string, { dialect, output }: ImportOptions): Promise<void> {
  const reading = await readTask(cwd, { file, dialect, overrides: [] });
  const notes = [...notYet(reading), ...leftOut(reading)];
  const isShown = output === undefined && out.terminal;
  for (const warning of reading.warnings) out.note(`${out.style("yellow", "warning:")} ${onOneLine(warning)}`);
  // What a person sees at the top of the answer is not said twice.
  for (const line of isShown ? [] : notes) out.note(out.style("yellow", line));
  const targets = reading.targets ?? [];
  const commands = targets.flatMap(commandOf);
  const lines = [...notes.map(line => `# ${line}`), ...commands];
  const text = `${lines.map(line => `${line}\n`).join("")}${write(reading)}`;
  if (output !== undefined) await save(resolve(cwd, output), output, text);
  const { warnings, unsupported } = reading;
  out.data({ dialect: reading.dialect, text, commands, warnings, unsupported });
  if (output === undefined) out.print(text.replace(/\n$/, ""));
  else out.note(`Wrote ${output}.`);
}

/** What comes from the file stays in its line of a comment. */
const onOneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");

const notYet = ({ unsupported }: Result): string[] =>
  unsupported.map(({ path, why }) => onOneLine(`not yet: ${path}: ${why}`));

/** A line for each value that the file has, and that its new form has not. */
function leftOut({ tasks }: Result): string[] {
  const names = tasks.flatMap(({ task: { envs, secrets } }) => [
    ...namesOf(envs).filter(isSecretName),
    ...namesOf(secrets),
  ]);
  return [...new Set(names)].map(name => `${name}: its value is left out; keep it with: muster secrets set ${name}`);
}

const namesOf = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value === "" ? [] : [name]));

async function save(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const [what, hint] = failure(code, dirname(shown)) ?? [message, "name another with --output"];
    throw new MusterError("invalid_request", `cannot write ${shown}: ${what}`, { hint });
  }
}

function failure(code: string, folder: string): [what: string, hint: string] | undefined {
  const other = "name another with --output";
  if (code === "ENOENT") return [`there is no folder ${folder}`, `make it first: mkdir -p ${quoted(folder)}`];
  if (code === "ENOTDIR") return [`${folder} is no folder`, other];
  if (code === "EEXIST") return ["there is such a file already", other];
  if (code === "EACCES" || code === "EROFS") return [`nothing may be written to ${folder}`, other];
  return undefined;
}

/** The command that keeps a target. Hosts of one's own are among what cannot be done yet. */
function commandOf({ name, resources, nodes }: TargetDraft): string[] {
  const { provider, instanceType, spot, image } = resources;
  if (provider === undefined || provider === "byo") return [];
  const asked: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ["provider", provider],
    ["nodes", nodes],
    ["resources.instance_type", instanceType],
    ["resources.use_spot", spot],
    ["resources.image", image],
  ];
  const options = asked.flatMap(([key, value]) => (value === undefined ? [] : [quoted(`--${key}=${value}`)]));
  return [["muster targets set", quoted(name), ...options].join(" ")];
}
