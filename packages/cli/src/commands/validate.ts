import { isSecretName } from "@muster/task/envs.ts";
import type { Command } from "commander";
import { type Cli, cliOf } from "../cli.ts";
import * as Inputs from "../inputs.ts";
import { readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";

export const validate = (): Command => {
  const command = Options.taskCommand(
    "validate",
    "Check a task file, here and now; nothing is sent",
    "muster validate examples/train.yaml",
  ).argument("<file>", "task file: Muster's own form, SkyPilot's, or Oumi's");
  return command.action((file: string, options: Options.TaskOptions) =>
    check(cliOf(command), file, options, command.overrides),
  );
};

async function check(
  { out, cwd }: Cli,
  file: string,
  options: Options.TaskOptions,
  overrides: readonly string[],
): Promise<void> {
  const reading = await readTask(cwd, { file, overrides, ...options });
  for (const draft of reading.tasks) Inputs.find(cwd, draft, file);
  const { dialect, because, tasks, warnings, unsupported } = reading;
  out.data({
    ok: true,
    dialect,
    because,
    tasks: tasks.map(draft => ({ ...draft, task: hidden(draft.task) })),
    warnings,
    unsupported,
  });
  out.print(`${file}: ${dialect} task${because === undefined ? "" : ` (it has ${because})`}`);
  for (const warning of warnings) out.print(`  warning: ${warning}`);
  for (const { path, why } of unsupported) out.print(`  not yet: ${path}: ${why}`);
  if (unsupported.length > 0) return out.print("  It cannot be launched as it stands.");
  out.print("  It can be read; whether it can be launched here is decided by:");
  out.print(`  muster launch ${file} --dry-run`);
}

type Values = Readonly<Record<string, string>>;

/** Of secrets, and of variables that are secrets by their names, the names alone. */
function hidden<T extends { readonly envs: Values; readonly secrets: Values }>(task: T): T {
  const envs = Object.entries(task.envs).map(([name, value]) => [name, isSecretName(name) ? "***" : value]);
  const secrets = Object.keys(task.secrets).map(name => [name, "***"]);
  return { ...task, envs: Object.fromEntries(envs), secrets: Object.fromEntries(secrets) };
}
