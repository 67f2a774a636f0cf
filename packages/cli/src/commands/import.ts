import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { type Dialect, dialects } from "@muster/task/dialect.ts";
import type { Result, TargetDraft } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
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
  const notYet = reading.unsupported.map(({ path, why }) => onOneLine(`not yet: ${path}: ${why}`));
  for (const warning of reading.warnings) out.note(`${out.style("yellow", "warning:")} ${onOneLine(warning)}`);
  for (const line of notYet) out.note(out.style("yellow", line));
  const commands = (reading.targets ?? []).flatMap(commandOf);
  const lines = [...notYet.map(line => `# ${line}`), ...hidden(reading), ...commands];
  const text = `${lines.map(line => `${line}\n`).join("")}${write(reading)}`;
  if (output !== undefined) await save(resolve(cwd, output), output, text);
  const { warnings, unsupported } = reading;
  out.data({ dialect: reading.dialect, text, commands, warnings, unsupported });
  if (output === undefined) out.print(text.replace(/\n$/, ""));
  else out.note(`Wrote ${output}.`);
}

/** What comes from the file stays in its line of a comment. */
const onOneLine = (text: string): string => text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");

function hidden({ tasks }: Result): string[] {
  const secrets = tasks.some(({ task }) => Object.keys(task.secrets).length > 0);
  return secrets
    ? ["# The values of secrets are not shown: give them with -e NAME=value, or keep them with muster secrets set."]
    : [];
}

async function save(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? "there is such a file already" : message;
    throw new MusterError("invalid_request", `cannot write ${shown}: ${what}`, { hint: "name another with --output" });
  }
}

/** The command that keeps a target. Hosts of one's own, and containers, are among what cannot be done yet. */
function commandOf({ name, resources, nodes }: TargetDraft): string[] {
  const { provider, instanceType, spot, image } = resources;
  if (provider === undefined || provider === "byo") return [];
  const asked: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ["provider", provider],
    ["nodes", nodes],
    ["resources.instance_type", instanceType],
    ["resources.use_spot", spot],
    ["resources.image", image?.startsWith("docker:") ? undefined : image],
  ];
  const options = asked.flatMap(([key, value]) => (value === undefined ? [] : [quoted(`--${key}=${value}`)]));
  return [["muster targets set", quoted(name), ...options].join(" ")];
}

/** A word of a command as a shell reads it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
