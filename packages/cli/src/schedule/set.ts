/** Setting a schedule from a task file. */
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { Name } from "@muster/core/task/task.ts";
import { Option } from "commander";
import { type Cli, cliOf } from "../cli.ts";
import { requireTask } from "../cluster-file.ts";
import { idleOf } from "../idle.ts";
import { tellKept } from "../inputs/kept.ts";
import * as Inputs from "../inputs.ts";
import { interrupt } from "../interrupt.ts";
import * as Plan from "../plan.ts";
import type { TaskCommand } from "../task-command.ts";
import { accept, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";
import * as Secrets from "../task-secrets.ts";
import { timeIn } from "./shown.ts";

type Launch = InputOf<Routes["launches.create"]>["body"];

interface SetOptions extends Options.TaskOptions, Options.ClusterOptions, Options.JobOptions {
  readonly cron: string;
  readonly tz: string;
  readonly overlap: "skip" | "queue" | "replace";
  readonly down?: boolean;
  readonly yes?: boolean;
}

export function setting(): TaskCommand {
  const command = Options.taskCommand(
    "set",
    "Set a schedule, or set it anew; from then on it launches in your name",
    "muster schedule set nightly --cron '0 3 * * *' examples/train.yaml -c demo",
  )
    .argument("<name>", "its name")
    .argument("[file]", "task file: Muster's own form, SkyPilot's, or Oumi's")
    .requiredOption("--cron <times>", "minute, hour, day of the month, month, day of the week; or @daily")
    .option("--tz <zone>", "time zone, such as Europe/Paris", "UTC")
    .addOption(
      new Option("--overlap <what>", "when the last job has not ended: leave the time out, wait, or cancel that job")
        .choices(["skip", "queue", "replace"])
        .default("skip"),
    ) as TaskCommand;
  Options.addClusterOptions(command);
  Options.addPoolOption(command);
  command.option("--down", "tear the cluster down when its job has ended");
  Options.addJobOptions(command);
  command.option("-y, --yes", "ask nothing");
  return command.action((name: string, file: string | undefined, options: SetOptions) =>
    set(cliOf(command), name, file, options, command.overrides),
  );
}

async function set(
  cli: Cli,
  name: string,
  file: string | undefined,
  options: SetOptions,
  overrides: readonly string[],
): Promise<void> {
  const { out } = cli;
  requireName(name);
  const result = await readTask(cli.cwd, { file, overrides, ...options });
  requireTask(result, file);
  const accepted = accept(out, file, result);
  const draft = await Secrets.complete(cli, accepted.draft, options, file);
  requireNoSecrets(draft.task.secrets);
  const inputs = Inputs.find(cli.cwd, draft, file);
  using stop = interrupt();
  const client = await cli.connect();
  const launch = bodyOf(draft, options);
  // What cannot be launched now mostly cannot be launched later.
  const plan = await client.launches.plan({ body: launch });
  const { down = false, maxLifetime } = launch;
  const { runs } = Options.taskOf(draft.task, options);
  const shown = { plan, reading: { ...accepted, draft }, down, maxLifetime, runs };
  for (const line of Plan.lines(out, shown)) out.note(line);
  const ask = { yes: options.yes ?? false, interactive: out.interactive, signal: stop.signal };
  const sent = await Inputs.send({ out, client, ask, signal: stop.signal }, inputs);
  stop.signal.throwIfAborted();
  const { cron, tz: timeZone, overlap } = options;
  const body = { cron, timeZone, overlap, launch: { ...launch, task: { ...launch.task, ...sent } } };
  const info = await client.schedules.set({ params: { name }, body });
  out.data(info);
  tell(cli, info, inputs);
}

function tell({ out }: Cli, info: Schedule.Info, inputs: Inputs.Inputs): void {
  const next = info.nextAt === undefined ? "it is paused" : `next ${timeIn(info.timeZone, info.nextAt)}`;
  out.print(`Set ${info.name}: ${info.cron} ${info.timeZone}, ${next}.`);
  tellKept(out, inputs);
  out.note(out.style("dim", `  muster schedule show ${info.name} shows its next times; run-now tries it`));
}

function bodyOf(draft: Parameters<typeof Options.hostsOf>[0] & Drafted, options: SetOptions): Launch {
  const { resources, ...groups } = Options.hostsOf(draft, options);
  const minutes = options.idleMinutesToAutostop;
  const down = options.down ?? false;
  const idle = minutes === undefined ? draft.idle : idleOf(minutes, down, draft.idle ?? DEFAULT);
  return {
    task: { ...Options.taskOf(draft.task, options), resources },
    ...groups,
    ...Options.queueing(options, draft),
    ...Options.placing(options),
    ...Options.pooling(options),
    ...Options.living(options, draft),
    ...(options.cluster !== undefined && { cluster: options.cluster }),
    ...(idle !== undefined && { idle }),
    shared: options.share ?? false,
    down: down && minutes === undefined,
  };
}

type Drafted = Awaited<ReturnType<typeof Secrets.complete>>;
/** What is said of minutes alone says nothing of what happens then: as clusters without a name have it. */
const DEFAULT = { after: 30, action: "terminate" } as const;

function requireName(name: string): void {
  const read = Name.safeParse(name);
  if (!read.success)
    throw new MusterError("invalid_request", `'${name}' cannot be a schedule's name: ${read.error.issues[0]?.message}`);
}

/** Before anything is sent. */
function requireNoSecrets(secrets: Readonly<Record<string, string>>): void {
  const [first] = Object.keys(secrets);
  if (first === undefined) return;
  throw new MusterError("invalid_request", `a schedule keeps no secrets, and the task has ${first}`, {
    hint: `store it in the workspace: muster secrets set ${first}; then give it by its name: --secret ${first}`,
  });
}
