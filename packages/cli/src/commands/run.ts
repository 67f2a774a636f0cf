import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Result } from "@muster/task/read.ts";
import type { Command } from "commander";
import type { Launched } from "../attend.ts";
import { type Cli, cliOf } from "../cli.ts";
import { requireTask } from "../cluster-file.ts";
import * as Find from "../find.ts";
import * as Inputs from "../inputs.ts";
import { interrupt, orLeave } from "../interrupt.ts";
import * as LocalDisks from "../local-disks.ts";
import { openCopy } from "../log-copy.ts";
import { stay as stayWithAll } from "../pipeline/attend.ts";
import { refuseOn } from "../pipeline/parallel.ts";
import * as Pipeline from "../pipeline/prepare.ts";
import { type Begin, send } from "../pipeline/send.ts";
import * as Plan from "../plan.ts";
import { accept, type Reading, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";
import * as Secrets from "../task-secrets.ts";
import { stay } from "../wind-up.ts";

interface RunOptions extends Options.TaskOptions, Options.JobOptions, Options.FlowOptions {
  readonly cluster: string;
}

export const run = (): Command => {
  const command = Options.taskCommand(
    "run",
    "Run a job on a cluster that is there",
    "muster run examples/hello.yaml -c demo",
  )
    .argument("[file]", "task file: Muster's own form, SkyPilot's, or Oumi's")
    .requiredOption("-c, --cluster <name>", "cluster to run on");
  Options.addJobOptions(command);
  Options.addOrderOptions(command);
  command.option("--output-filepath <file>", "write the log to this file, too");
  Options.addFlowOptions(command);
  return command.action((file: string | undefined, options: RunOptions) =>
    submit(cliOf(command), file, options, command.overrides),
  );
};

type Body = InputOf<Routes["jobs.submit"]>["body"];

async function submit(
  cli: Cli,
  file: string | undefined,
  options: RunOptions,
  overrides: readonly string[],
): Promise<void> {
  const { out } = cli;
  const result = await readTask(cli.cwd, { file, overrides, on: options.cluster, ...options });
  requireTask(result, file);
  refuseOn(result, options.cluster);
  if (Pipeline.isPipeline(result)) return pipeline(cli, file, result, options);
  const accepted = accept(out, file, result);
  const draft = await Secrets.complete(cli, accepted.draft, options, file);
  const reading = { ...accepted, draft };
  Secrets.warnOfShort(out, draft);
  const inputs = Inputs.find(cli.cwd, draft, file);
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const { signal } = stop;
  const client = await cli.connect();
  const body = await orLeave(cli, stop, async (): Promise<Body | undefined> => {
    // Before anything is sent: a wrong name should not cost an upload.
    await Find.living(client, options.cluster).catch(error => Promise.reject(unmade(error, options.cluster)));
    if (options.dryRun) return show(cli, client, reading, options);
    const ask = { yes: options.yes ?? false, interactive: out.interactive, signal };
    const sent = await Inputs.send({ out, client, ask, signal }, inputs);
    signal.throwIfAborted();
    return { task: { ...Options.taskOf(draft.task, options), ...sent }, ...Options.queueing(options, draft) };
  });
  if (body === undefined) return;
  const params = { cluster: options.cluster };
  const job = await client.jobs.submit({ params, body }, { idempotencyKey: randomUUID() });
  const cluster = await client.clusters.get({ params: { cluster: job.clusterId } });
  const launched: Launched = { cluster, job, reused: true };
  process.exitCode = await stay(cli, { client, launched, stop, detach: options.detach ?? false, copy });
}

/** Several tasks, each after those that it waits for. */
async function pipeline(cli: Cli, file: string | undefined, result: Result, options: RunOptions): Promise<void> {
  const steps = await Pipeline.find(cli, file, result, options);
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const client = await cli.connect();
  const prepared = await orLeave(cli, stop, async () => {
    const missing = (error: unknown): Promise<never> => Promise.reject(unmade(error, options.cluster));
    const cluster = await Find.living(client, options.cluster).catch(missing);
    Pipeline.show(cli, steps);
    if (!options.dryRun) return { cluster, steps: await Pipeline.ready(cli, client, stop, steps, options) };
    for (const { draft } of steps) await show(cli, client, { ...result, draft }, options);
    return undefined;
  });
  if (prepared === undefined) return;
  const { cluster } = prepared;
  const params = { cluster: cluster.id };
  const begin: Begin = async (body, idempotencyKey) => {
    const job = await client.jobs.submit({ params, body }, { idempotencyKey });
    return { cluster, job, reused: true };
  };
  const sent = await send(cli.out, client, prepared.steps, begin, false);
  process.exitCode = await stayWithAll(cli, { client, steps, sent, stop, detach: options.detach ?? false, copy });
}

/** What to do where there is no such cluster, and none of a name like it. */
function unmade(error: unknown, cluster: string): unknown {
  if (!(error instanceof MusterError) || error.code !== "not_found" || error.details.hint?.startsWith("did you mean"))
    return error;
  const hint = `make it with: muster up -c ${cluster}; or see what there is with: muster status`;
  return new MusterError(error.code, error.message, { ...error.details, hint }, error);
}

/** What the job would run on. */
async function show({ out }: Cli, client: Client, reading: Reading, options: RunOptions): Promise<undefined> {
  const task = Options.taskOf(reading.draft.task, options);
  const { cluster, group } = options;
  const body = { task, cluster, ...(group !== undefined && { group }) };
  const plan = await LocalDisks.completed(client, await client.launches.plan({ body }));
  for (const line of Plan.lines(out, { plan, reading, down: false, runs: task.runs })) out.note(line);
  Plan.showOffers(out, plan);
  return undefined;
}
