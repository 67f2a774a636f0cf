/** The options of the commands that take a task file, and what they mean. */
import type * as Group from "@muster/core/cluster/group.ts";
import { MOST_PER_HOST } from "@muster/core/cluster/slots.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Job from "@muster/core/job/job.ts";
import { Name, type TaskInput } from "@muster/core/task/task.ts";
import { type Dialect, dialects } from "@muster/task/dialect.ts";
import { InvalidArgumentError, Option } from "commander";
import { afterOption } from "./after-option.ts";
import { addLabelOption, type LabelOptions, labelsOf } from "./label-option.ts";
import { addRetryOptions, type RetryOptions, retryOf } from "./retry-options.ts";
import { addRunsOptions, type RunsOptions, runsOf } from "./runs-options.ts";
import { count, envOption, TaskCommand } from "./task-command.ts";
import { type Given, secretOption } from "./task-secrets.ts";

export interface TaskOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly dialect?: Dialect;
}

export interface ClusterOptions {
  readonly cluster?: string;
  readonly target?: string;
  readonly idleMinutesToAutostop?: number | "never";
  readonly share?: boolean;
  /** Minutes. */
  readonly maxLifetime?: number;
  readonly maxConcurrentJobs?: number;
  /** US dollars per host and hour. */
  readonly maxHourly?: number;
  readonly reservation?: string;
  readonly spotFallback?: boolean;
  /** As a task's resources name it. */
  readonly image?: string;
  /** Name of a pool to take it from. */
  readonly pool?: string;
}

export interface JobOptions extends RetryOptions, RunsOptions, LabelOptions {
  readonly secret?: Given;
  readonly name?: string;
  readonly priority?: number;
  /** Of the cluster's hosts. */
  readonly group?: string;
  readonly timeout?: number;
  readonly after?: readonly Job.After[];
  readonly hold?: true;
  readonly ifBusy?: "queue" | "fail";
  readonly force?: true;
}

export interface FlowOptions {
  readonly outputFilepath?: string;
  readonly detach?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const MAX_PRIORITY = 1000;
const MAX_MINUTES = 525_600;
const MAX_SECONDS = MAX_MINUTES * 60;
const MOST_DOLLARS = 100_000;
const UNITS: Readonly<Record<string, number>> & { readonly m: number } = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

const KEYS = '--resources.cloud local   --num_nodes 2   --run "echo hello"';

/** A command that reads a task file. @param keys of one, as examples */
export function taskCommand(name: string, summary: string, example: string, keys = KEYS): TaskCommand {
  const command = new TaskCommand(name).description(summary);
  command.addHelpText(
    "after",
    `\nKeys of the task file may be given as options, over what the file says:\n` +
      `  ${keys}\n\nExample:\n  ${example}`,
  );
  command.option("-e, --env <name=value>", "set a variable; NAME alone passes on your own", envOption(process.env));
  command.addOption(new Option("--dialect <name>", "whose rules the file is read by").choices(dialects));
  return command;
}

export function addClusterOptions(command: TaskCommand): TaskCommand {
  command
    .option("-c, --cluster <name>", "cluster to use, or to create", named)
    .option("--target <name>", "named place to run it: its provider stands over the file's (muster targets)", named)
    .option(
      "-i, --idle-minutes-to-autostop <minutes>",
      "minutes without a job until it stops or ends, or never (-1)",
      minutes,
    )
    .option("--share", "let others of the workspace use the cluster")
    .option("--max-lifetime <time>", "end the cluster after this time, whatever runs on it: 90m, 12h, 2d", lifetime);
  return addHostOptions(command);
}

/** What the hosts of a cluster are to be. */
export function addHostOptions(command: TaskCommand): TaskCommand {
  return command
    .option(
      "--max-concurrent-jobs <number>",
      "most jobs that run on one host at a time (default: as many as there is room for)",
      count(1, MOST_PER_HOST),
    )
    .option("--max-hourly <dollars>", "most that one host may cost per hour, in US dollars", dollars(0.0001))
    .option("--reservation <id>", "use this capacity reservation or capacity block")
    .option("--image <name>", "start its machines from this saved image (muster image), or from an AMI", imageOption)
    .option("--spot-fallback", "with use_spot: take machines on demand where no spot capacity is left");
}

export function addJobOptions(command: TaskCommand): TaskCommand {
  addRetryOptions(command);
  addRunsOptions(command);
  addLabelOption(command);
  return command
    .option("-n, --name <name>", "name of the job", named)
    .option(
      "--secret <name[=value]>",
      "give the job a secret; NAME alone: your own variable, or else the workspace's secret",
      secretOption(process.env),
    )
    .option("--priority <number>", "0 to 1000; higher runs first (default: 500)", count(0, MAX_PRIORITY))
    .option("--group <name>", "run on the cluster's hosts of this group alone", named)
    .option("--timeout <time>", "time the job may take: seconds, or 90m, 12h, 2d", seconds);
}

/** What a job waits for before it is queued, and what becomes of others on its cluster. */
export function addOrderOptions(command: TaskCommand): TaskCommand {
  return command
    .option("--after <job>", "wait until this job has succeeded; job_…:end: however it ends", afterOption)
    .option("--hold", "wait until it is released: muster release JOB")
    .addOption(
      new Option("--if-busy <what>", "while others run or wait there: queue behind them, or fail").choices([
        "queue",
        "fail",
      ]),
    )
    .option("--force", "cancel what runs on the cluster, and what waits there, first");
}

export function addFlowOptions(command: TaskCommand): TaskCommand {
  return command
    .option("-d, --detach", "come back at once")
    .option("--dry-run", "show what would be done and what it would cost; change nothing")
    .option("-y, --yes", "ask nothing")
    .option("--no-progress", "no live line, no bars");
}

/** The task with what the options say of it. */
export function taskOf<T extends Pick<TaskInput, "retry" | "runs" | "labels">>(
  task: T,
  { name, timeout, ...options }: JobOptions,
): T {
  const retry = retryOf(task.retry, options);
  return {
    ...task,
    ...(name !== undefined && { name }),
    ...(timeout !== undefined && { timeout }),
    ...(retry !== undefined && { retry }),
    ...runsOf(task, options),
    ...labelsOf(task.labels, options),
  };
}

/** What the command says of the queue, and of where in the cluster it runs, stands over what the file says. */
export function queueing(
  { priority: given, group, after, hold, ifBusy, force }: JobOptions,
  draft: { readonly priority?: number },
): { priority?: number; group?: string; after?: Job.After[]; hold?: true; onBusy?: "queue" | "fail"; force?: true } {
  const priority = given ?? draft.priority;
  return {
    ...(priority !== undefined && { priority }),
    ...(group !== undefined && { group }),
    ...(after !== undefined && { after: [...after] }),
    ...(hold && { hold }),
    ...(ifBusy !== undefined && { onBusy: ifBusy }),
    ...(force && { force }),
  };
}

/** Where it runs, by a name that is looked up. */
export const placing = ({ target }: ClusterOptions): { target?: string } => (target === undefined ? {} : { target });

export const addPoolOption = (command: TaskCommand): TaskCommand =>
  command.option("--pool <name>", "take the cluster from this pool, unless it is there already (muster pool)", named);

/** From which pool it is taken, where it is not there yet. */
export const pooling = ({ pool }: ClusterOptions): { pool?: string } => (pool === undefined ? {} : { pool });

/** Of one kind, as resources; or of several, as groups, and then the resources are empty. */
export interface Hosts {
  readonly resources: NonNullable<TaskInput["resources"]>;
  readonly groups?: Group.Create[];
}

/** The hosts that a task wants, with what the options say of them. */
export function hostsOf(
  { task, groups }: { readonly task: Pick<TaskInput, "resources">; readonly groups?: readonly Group.Create[] },
  options: ClusterOptions,
): Hosts {
  if (groups === undefined) return { resources: resourcesOf(task.resources, options) };
  const { maxHourly, reservation, spotFallback = false, image } = options;
  if (reservation !== undefined)
    throw new MusterError("invalid_request", "--reservation is for hosts of one kind, and this task has groups", {
      hint: `say whose it is, in the file or with --groups.0.resources.reservation=${reservation}`,
    });
  const asked = groups.map(group => {
    const own = { ...(maxHourly !== undefined && { maxHourly }), ...(group.resources.spot && { spotFallback }) };
    return { ...group, resources: { ...imageOnly(group.resources, image), ...resourcesOf({}, own) } };
  });
  return { resources: {}, groups: asked };
}

const resourcesOf = (
  resources: TaskInput["resources"],
  { maxHourly, reservation, spotFallback, image }: ClusterOptions,
): NonNullable<TaskInput["resources"]> => ({
  ...imageOnly(resources, image),
  ...(maxHourly !== undefined && { maxHourly }),
  ...(reservation !== undefined && { reservation }),
  ...(spotFallback && { spotFallback }),
});

/** An image of the command line stands over all that the file says of images, in each of its choices. */
function imageOnly(resources: TaskInput["resources"] = {}, image: string | undefined): typeof resources {
  if (image === undefined) return resources;
  const without = <M extends typeof resources>({ image: _, images: __, ...rest }: M) => rest;
  const { anyOf, ordered, ...machine } = resources;
  return {
    ...without(machine),
    image,
    ...(anyOf && { anyOf: anyOf.map(without) }),
    ...(ordered && { ordered: ordered.map(without) }),
  };
}

/** A name alone is that of a saved image. */
function imageOption(given: string): string {
  const name = given.trim();
  if (name === "") throw new InvalidArgumentError("Write the name of an image, or ami-….");
  return /[:/]|^ami-/.test(name) ? name : `muster:${name}`;
}

/** How long the cluster lives at most, and how many jobs its hosts run at a time. */
export function living(
  { maxLifetime, maxConcurrentJobs: given }: ClusterOptions,
  draft: { readonly maxConcurrentJobs?: number } = {},
): { maxLifetime?: number; maxConcurrentJobs?: number } {
  const maxConcurrentJobs = given ?? draft.maxConcurrentJobs;
  return {
    ...(maxLifetime !== undefined && { maxLifetime }),
    ...(maxConcurrentJobs !== undefined && { maxConcurrentJobs }),
  };
}

/** Minutes; or `never`, or -1 as other launchers have it. */
export function minutes(given: string): number | "never" {
  return given === "never" || given === "-1" ? "never" : count(0, MAX_MINUTES)(given);
}

/** A name of a noun, as an argument. */
export function named(given: string): string {
  const read = Name.safeParse(given);
  if (read.success) return read.data;
  throw new InvalidArgumentError(`${read.error.issues[0]?.message.replace(/^./, letter => letter.toUpperCase())}.`);
}

/** Minutes, from a time of a minute or more. */
export function lifetime(given: string): number {
  const value = seconds(given) / UNITS.m;
  if (value >= 1) return value;
  throw new InvalidArgumentError("Write a minute or more, such as 90m, 12h or 2d.");
}

/** US dollars, with or without the sign. */
export function dollars(least: number) {
  return (given: string): number => {
    const value = Number(given.replace(/^\$/, ""));
    if (/^\$?\d+(\.\d+)?$/.test(given) && value >= least && value <= MOST_DOLLARS) return value;
    throw new InvalidArgumentError(`Write US dollars such as 2.50, from ${least} to ${MOST_DOLLARS}.`);
  };
}

export function seconds(given: string): number {
  const match = /^(\d+)([smhd]?)$/.exec(given);
  const value = match ? Number(match[1]) * (UNITS[match[2] ?? ""] ?? 1) : 0;
  if (value > MAX_SECONDS) throw new InvalidArgumentError("A year, 365d, is the most.");
  if (value > 0) return value;
  throw new InvalidArgumentError("Write seconds, or a number with s, m, h or d.");
}
