import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import * as Group from "@muster/core/cluster/group.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type { Draft, Result } from "@muster/task/read.ts";
import type { Command } from "commander";
import { type Cli, cliOf } from "../cli.ts";
import { requireTask } from "../cluster-file.ts";
import { planned } from "../idle.ts";
import * as Inputs from "../inputs.ts";
import { type Interrupt, interrupt, orLeave } from "../interrupt.ts";
import * as LocalDisks from "../local-disks.ts";
import { openCopy } from "../log-copy.ts";
import { stay as stayWithAll } from "../pipeline/attend.ts";
import { machinesFor } from "../pipeline/machines.ts";
import { isGroup, launchGroup } from "../pipeline/parallel.ts";
import * as Pipeline from "../pipeline/prepare.ts";
import { type Begin, send } from "../pipeline/send.ts";
import * as Plan from "../plan.ts";
import * as Pool from "../pool/shown.ts";
import { accept, type Reading, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";
import * as Secrets from "../task-secrets.ts";
import { stay } from "../wind-up.ts";

interface LaunchOptions extends Options.TaskOptions, Options.ClusterOptions, Options.JobOptions, Options.FlowOptions {
  readonly down?: boolean;
  readonly managed?: boolean;
}

export const launch = (): Command => {
  const command = Options.taskCommand(
    "launch",
    "Create or reuse a cluster and run a job on it, with its log",
    "muster launch examples/hello.yaml -c demo",
  ).argument("[file]", "task file: Muster's own form, SkyPilot's, or Oumi's");
  Options.addClusterOptions(command);
  Options.addPoolOption(command);
  command.option("--down", "tear the cluster down when the job has ended; with -i, after that many idle minutes");
  command.option(
    "--managed",
    "give the job a cluster of its own, which ends with it and is made anew when its machines are lost",
  );
  Options.addJobOptions(command);
  Options.addOrderOptions(command);
  command.option("--output-filepath <file>", "write the log to this file, too");
  Options.addFlowOptions(command);
  return command.action((file: string | undefined, options: LaunchOptions) =>
    run(cliOf(command), file, options, command.overrides),
  );
};

type Body = InputOf<Routes["launches.create"]>["body"];

async function run(
  cli: Cli,
  file: string | undefined,
  options: LaunchOptions,
  overrides: readonly string[],
): Promise<void> {
  const result = await readTask(cli.cwd, { file, overrides, ...options });
  requireTask(result, file);
  if (isGroup(result)) return launchGroup(cli, file, result, options);
  if (Pipeline.isPipeline(result)) return pipeline(cli, file, result, options);
  const accepted = accept(cli.out, file, result);
  const draft = await Secrets.complete(cli, accepted.draft, options, file);
  const reading = { ...accepted, draft };
  Secrets.warnOfShort(cli.out, draft);
  const inputs = Inputs.find(cli.cwd, draft, file);
  const hosts = Options.hostsOf(reading.draft, options);
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const client = await cli.connect();
  const body = await orLeave(cli, stop, () => prepare({ cli, client, stop, options, hosts }, reading, inputs));
  if (body === undefined) return;
  // Not to be interrupted: whoever stops this command is told what became of the launch.
  const launched = await client.launches.create({ body }, { idempotencyKey: randomUUID() });
  if (launched.pool) cli.out.note(Pool.origin(launched.pool, launched.cluster));
  process.exitCode = await stay(cli, { client, launched, stop, detach: options.detach ?? false, copy });
}

/** Several tasks: one cluster for all of them, and what runs after what. */
async function pipeline(cli: Cli, file: string | undefined, result: Result, options: LaunchOptions): Promise<void> {
  if (options.managed)
    throw new MusterError("unsupported", "a managed job has its cluster for itself, and this file has several tasks", {
      hint: "leave --managed out, or launch each document by itself",
    });
  const steps = await Pipeline.find(cli, file, result, options);
  const { draft, hosts } = hostsOf(steps, options);
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const client = await cli.connect();
  const prepared = await orLeave(cli, stop, async () => {
    const { plan, body } = await decide(client, { ...result, draft }, options, hosts);
    const { down = false, maxLifetime } = body;
    for (const line of Plan.lines(cli.out, { plan, reading: { ...result, draft }, down, maxLifetime }))
      cli.out.note(line);
    Pipeline.show(cli, steps);
    if (!options.dryRun) return { body, steps: await Pipeline.ready(cli, client, stop, steps, options) };
    Plan.showOffers(cli.out, plan);
    return undefined;
  });
  if (prepared === undefined) return;
  const { body } = prepared;
  const begin: Begin = ({ task, ...submit }, idempotencyKey) => {
    const launch = { ...body, ...submit, task: { ...task, resources: hosts.resources } };
    return client.launches.create({ body: launch }, { idempotencyKey });
  };
  const sent = await send(cli.out, client, prepared.steps, begin, body.down ?? false);
  process.exitCode = await stayWithAll(cli, { client, steps, sent, stop, detach: options.detach ?? false, copy });
}

/** The first task, with the hosts that do for all, and with the last word on when the cluster is idle. */
function hostsOf(steps: readonly Pipeline.Found[], options: LaunchOptions): { draft: Draft; hosts: Options.Hosts } {
  const [first] = steps;
  if (first === undefined) throw new Error("a file of several tasks has none");
  const { nodes, resources: largest, groups } = machinesFor(steps.map(({ draft }) => draft));
  const idle = steps.findLast(({ draft }) => draft.idle !== undefined)?.draft.idle;
  const draft = { ...first.draft, ...(idle !== undefined && { idle }) };
  if (groups !== undefined) return { draft, hosts: Options.hostsOf({ ...draft, groups }, options) };
  const hosts = Options.hostsOf({ task: { resources: largest } }, options);
  if (nodes === draft.task.nodes) return { draft, hosts };
  const all = Group.Create.parse({ name: Group.MAIN, nodes, resources: hosts.resources });
  return { draft, hosts: { resources: {}, groups: [all] } };
}

interface Preparing {
  readonly cli: Cli;
  readonly client: Client;
  readonly stop: Interrupt;
  readonly options: LaunchOptions;
  readonly hosts: Options.Hosts;
}

/** Shows the plan and sends the inputs. @returns the request; nothing when only the plan was asked for. */
async function prepare(
  { cli: { out }, client, stop, options, hosts }: Preparing,
  reading: Reading,
  inputs: Inputs.Inputs,
): Promise<Body | undefined> {
  const { signal } = stop;
  const { plan, body } = await decide(client, reading, options, hosts);
  const { down = false, managed = false, maxLifetime } = body;
  const { runs } = Options.taskOf(reading.draft.task, options);
  for (const line of Plan.lines(out, { plan, reading, down, managed, runs, maxLifetime })) out.note(line);
  if (options.dryRun) {
    Plan.showOffers(out, plan);
    return undefined;
  }
  const ask = { yes: options.yes ?? false, interactive: out.interactive, signal };
  const sent = await Inputs.send({ out, client, ask, signal }, inputs);
  signal.throwIfAborted();
  return { ...body, task: { ...body.task, ...sent } };
}

/** The plan, and the request that it is the plan of. */
async function decide(
  client: Client,
  { draft }: Reading,
  options: LaunchOptions,
  { resources, ...groups }: Options.Hosts,
): Promise<{ plan: Launch.Plan; body: Body }> {
  const minutes = options.idleMinutesToAutostop;
  const body: Body = {
    task: { ...Options.taskOf(draft.task, options), resources },
    ...groups,
    ...Options.queueing(options, draft),
    ...Options.placing(options),
    ...Options.pooling(options),
    ...Options.living(options, draft),
    ...(options.cluster !== undefined && { cluster: options.cluster }),
    ...(draft.idle !== undefined && { idle: draft.idle }),
    ...(options.managed && { managed: true }),
    shared: options.share ?? false,
    down: (options.down ?? false) && minutes === undefined,
  };
  const found = await LocalDisks.completed(client, await client.launches.plan({ body }));
  const { plan, idle } = planned(found, { given: minutes, down: options.down ?? false, file: draft.idle });
  return { plan, body: { ...body, ...(idle !== undefined && { idle }) } };
}
