import { MusterError } from "@muster/core/error.ts";
import { isSecretName } from "@muster/task/envs.ts";
import { howToGive } from "@muster/task/needs.ts";
import { isOpen } from "@muster/task/paths.ts";
import type { Draft, Issue, Result } from "@muster/task/read.ts";
import type { Command } from "commander";
import { type Cli, cliOf } from "../cli.ts";
import { tell } from "../fail.ts";
import * as Inputs from "../inputs.ts";
import { OWN_FORM, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";

/** Of this command alone: linters of other files end like this, and no job's own code can be meant. */
const NOT_VALID = 2;

export const validate = (): Command => {
  const command = Options.taskCommand(
    "validate",
    "Check a task file, here and now; nothing is sent",
    "muster validate examples/train.yaml",
  ).argument("<file>", "task file: Muster's own form, or another launcher's");
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
  try {
    const reading = await readTask(cwd, { file, overrides, ...options });
    findInputs(cwd, reading, file);
    out.data(shown(reading));
    for (const line of lines(reading, file)) out.print(line);
  } catch (error) {
    if (!(error instanceof MusterError) || error.code !== "invalid_request") throw error;
    process.exitCode = NOT_VALID;
    if (out.json) out.data({ ok: false, errors: issuesOf(error) });
    else tell(out, error);
  }
}

/** What is wrong, also where the failure is told as a sentence alone. */
function issuesOf({ message, details }: MusterError): readonly Issue[] {
  const { hint, issues } = details;
  return issues ?? [{ path: "", message, ...(hint !== undefined && { suggestion: hint }) }];
}

/** @throws MusterError `invalid_request` that names every local path that is not there, of whichever task. */
function findInputs(cwd: string, { tasks }: Result, file: string): void {
  const failures = tasks.flatMap((draft, index) => {
    try {
      Inputs.find(cwd, settled(draft), file);
      return [];
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      return [tasks.length === 1 ? error : numbered(error, index + 1)];
    }
  });
  const [first, ...more] = failures;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  throw new MusterError("invalid_request", first.message, { issues: failures.flatMap(issuesOf) });
}

const numbered = (error: MusterError, number: number): MusterError => {
  const issues = issuesOf(error).map(issue => ({ ...issue, path: `task ${number}: ${issue.path}` }));
  return new MusterError(error.code, error.message, { ...error.details, issues }, error);
};

/** Without the paths that wait for a variable's value: nobody knows yet where they lead. */
function settled(draft: Draft): Draft {
  const { workdir, ...others } = draft;
  const isSettled = typeof workdir !== "string" || !isOpen(workdir, draft);
  return {
    ...others,
    ...(isSettled && workdir !== undefined && { workdir }),
    fileMounts: draft.fileMounts.filter(({ source }) => !isOpen(source, draft)),
  };
}

const shown = ({ tasks, warnings, unsupported, ...found }: Result): object => ({
  ok: true,
  ...found,
  tasks: tasks.map(hidden),
  warnings,
  unsupported,
});

type Values = Readonly<Record<string, string>>;

/** Of secrets, and of variables that are secrets by their names, the names alone; also where a path was made of one. */
function hidden(draft: Draft): Draft {
  const { envs, secrets } = draft.task;
  const isHidden = ([name]: readonly [string, string]): boolean => isSecretName(name);
  const values = [
    ...Object.values(secrets),
    ...Object.entries(envs)
      .filter(isHidden)
      .map(([, value]) => value),
  ];
  const task = { ...draft.task, envs: masked(envs, isSecretName), secrets: masked(secrets, () => true) };
  const { task: _, ...others } = draft;
  const clear = JSON.stringify(others, (_key, value: unknown) =>
    typeof value === "string" ? blank(value, values) : value,
  );
  return { task, ...(JSON.parse(clear) as typeof others) };
}

const masked = (values: Values, isHidden: (name: string) => boolean): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isHidden(name) ? "***" : value]));

const blank = (text: string, values: readonly string[]): string =>
  values.reduce((left, value) => (value === "" ? left : left.replaceAll(value, "***")), text);

function lines(reading: Result, file: string): string[] {
  const { dialect, because, warnings, unsupported } = reading;
  const said = [
    `${file}: ${dialect} ${what(reading)}${because === undefined ? "" : ` (it has ${because})`}`,
    ...guess(reading),
    ...together(reading),
    ...warnings.map(warning => `  warning: ${warning}`),
    ...needs(reading),
    ...unsupported.map(({ path, why }) => `  not yet: ${path}: ${why}`),
  ];
  return [...said, ...next(reading, file)];
}

function what({ tasks, clusters = [], targets = [] }: Result): string {
  const parts = [many(tasks.length, "task"), many(clusters.length, "cluster"), many(targets.length, "target")];
  return parts.flat().join(", ") || "file with nothing in it";
}

function many(count: number, noun: string): string[] {
  if (count === 0) return [];
  return [count === 1 ? noun : `${count} ${noun}s`];
}

/** Whose rules its scripts are read by, where nothing in the file says it. */
function guess({ unmarked, tasks }: Result): string[] {
  const isScript = tasks.some(({ task }) => task.run !== undefined || task.setup !== undefined);
  return unmarked && isScript ? [`  read as ${OWN_FORM}`] : [];
}

/** Of tasks that run at the same time: which they are, and whose end is the end of all. */
function together({ name, tasks, roles }: Result): string[] {
  if (roles === undefined) return [];
  const isMixed = roles.some(({ primary }) => !primary);
  const named = tasks.map(({ task }, index) => `${task.name}${isMixed && roles[index]?.primary ? " (primary)" : ""}`);
  return [`  at the same time, as job group ${name}: ${named.join(", ")}`];
}

/** Variables that have no value yet. */
function needs({ tasks }: Result): string[] {
  const all = tasks.flatMap(({ missing }) => missing);
  return [...new Set(all.map(one => `  needs: ${one.name} (${one.kind}): ${howToGive(one)}`))];
}

function next({ tasks, targets, unsupported }: Result, file: string): string[] {
  if (targets !== undefined) return ["  Take it over, with its targets:", `  muster import ${file}`];
  if (unsupported.length > 0) return ["  It cannot be launched as it stands."];
  if (tasks.some(({ pool }) => pool !== undefined))
    return ["  It says what the clusters of a pool are:", `  muster pool set NAME ${file}`];
  if (tasks.length === 0) return ["  It has no task to run. Bring its clusters up:", `  muster up ${file}`];
  return ["  It can be read; whether it can be launched here is decided by:", `  muster launch ${file} --dry-run`];
}
