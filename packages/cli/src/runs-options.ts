/** Options of commands that run a task many times, and what they mean. */
import { readFileSync } from "node:fs";
import { MusterError } from "@muster/core/error.ts";
import { combinationsOf, MOST_RUNS, type Parameter, Runs, type Sweep } from "@muster/core/task/sweep.ts";
import { EnvName, type TaskInput } from "@muster/core/task/task.ts";
import { parameterOf, typeOf } from "@muster/task/distribution.ts";
import { hparamsOf } from "@muster/task/xt/hparams.ts";
import { InvalidArgumentError, Option } from "commander";
import { count, type TaskCommand } from "./task-command.ts";

type Params = Readonly<Record<string, Parameter>>;

export interface RunsOptions {
  readonly runs?: number;
  readonly concurrent?: number;
  readonly sweep?: Params;
  readonly searchType?: Sweep["type"];
  readonly maxRuns?: number;
}

export function addRunsOptions(command: TaskCommand): TaskCommand {
  return command
    .option("--runs <number>", "run the task so many times, each as a run of one array", count(1, MOST_RUNS))
    .option("--concurrent <number>", "no more runs at a time than this", count(1, MOST_RUNS))
    .option(
      "--sweep <name=values>",
      "give each run a value of its own: lr=0.1,0.01 or 'lr=loguniform(1e-5,1e-1)'; or a file of XT's with hparams",
      sweepOption,
    )
    .addOption(
      new Option("--search-type <type>", "every combination of the values, or as many draws as there are runs").choices(
        ["grid", "random"],
      ),
    )
    .option("--max-runs <number>", "most runs of a sweep", count(1, MOST_RUNS));
}

/** Collects `--sweep NAME=VALUES`. */
function sweepOption(given: string, earlier: Params = {}): Params {
  const [name = "", values] = given.split(/=(.*)/s, 2);
  if (values === undefined && /\.ya?ml$/i.test(given)) return { ...earlier, ...fileOf(given) };
  if (values === undefined)
    throw new InvalidArgumentError("Write NAME=VALUES, such as lr=0.1,0.01 or lr=uniform(0,1).");
  const read = EnvName.safeParse(name);
  if (!read.success) throw new InvalidArgumentError(`'${name}': ${read.error.issues[0]?.message}.`);
  const parameter = parameterOf(values);
  if ("problem" in parameter) throw new InvalidArgumentError(`'${values}' ${parameter.problem}.`);
  return { ...earlier, [name]: parameter };
}

/** A search space of XT's. */
function fileOf(path: string): Params {
  try {
    return hparamsOf(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (error instanceof MusterError) throw error;
    throw new InvalidArgumentError(`'${path}' cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
}

/**
 * The runs of a task, with what the options say of them.
 * @throws MusterError `invalid_request` when they make no sense together
 */
export function runsOf(task: Pick<TaskInput, "runs">, options: RunsOptions): { runs?: Runs } {
  const { runs, concurrent, maxRuns, searchType } = options;
  const sweep = sweepOf(task.runs?.sweep, options);
  if (sweep === undefined && (searchType ?? maxRuns) !== undefined)
    throw amiss("--search-type and --max-runs are said of a sweep", "say what it tries: --sweep lr=0.1,0.01");
  const most =
    maxRuns === undefined || sweep === undefined ? undefined : Math.min(maxRuns, combinationsOf(sweep) ?? maxRuns);
  const said = {
    ...task.runs,
    ...(most !== undefined && { count: most }),
    ...(runs !== undefined && { count: runs }),
    ...(concurrent !== undefined && { concurrent }),
    ...(sweep && { sweep }),
  };
  if (Object.keys(said).length === 0) return {};
  const read = Runs.safeParse(said);
  if (read.success) return { runs: read.data };
  throw wrong(read.error.issues);
}

const OPTIONS: Readonly<Record<string, string>> = { concurrent: "--concurrent", sweep: "--sweep" };

function wrong([issue]: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): MusterError {
  const option = OPTIONS[String(issue?.path[0])] ?? "--runs";
  return amiss(`${option}: ${issue?.message}`, "--runs says how many, --max-runs how many at most");
}

function sweepOf(file: NonNullable<TaskInput["runs"]>["sweep"], { sweep, searchType }: RunsOptions): Sweep | undefined {
  if (file === undefined && sweep === undefined) return undefined;
  const params = { ...file?.params, ...sweep };
  const type = searchType ?? (file?.type === "random" ? "random" : typeOf(params));
  return { type, params, seed: file?.seed ?? 0 };
}

const amiss = (message: string, hint: string): MusterError =>
  new MusterError("invalid_request", `the command line: ${message}`, { hint });
