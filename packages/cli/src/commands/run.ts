import { randomUUID } from "node:crypto";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import type { Command } from "commander";
import type { Launched } from "../attend.ts";
import { type Cli, cliOf } from "../cli.ts";
import * as Find from "../find.ts";
import * as Inputs from "../inputs.ts";
import { interrupt, orLeave } from "../interrupt.ts";
import { accept, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";
import { stay } from "../wind-up.ts";

interface RunOptions extends Options.TaskOptions, Options.JobOptions, Pick<Options.FlowOptions, "detach" | "yes"> {
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
  Options.addFlowOptions(command, { plans: false });
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
  const { draft } = accept(out, file, await readTask(cli.cwd, { file, overrides, ...options }));
  const inputs = Inputs.find(cli.cwd, draft, file);
  using stop = interrupt();
  const { signal } = stop;
  const client = await cli.connect();
  const body = await orLeave(cli, stop, async (): Promise<Body> => {
    // Before anything is sent: a wrong name should not cost an upload.
    await Find.living(client, options.cluster);
    const ask = { yes: options.yes ?? false, interactive: out.interactive, signal };
    const sent = await Inputs.send({ out, client, ask, signal }, inputs);
    signal.throwIfAborted();
    return { task: { ...Options.taskOf(draft.task, options), ...sent }, ...Options.queueing(options) };
  });
  if (body === undefined) return;
  const params = { cluster: options.cluster };
  const job = await client.jobs.submit({ params, body }, { idempotencyKey: randomUUID() });
  const cluster = await client.clusters.get({ params: { cluster: job.clusterId } });
  const launched: Launched = { cluster, job, reused: true };
  process.exitCode = await stay(cli, { client, launched, stop, detach: options.detach ?? false });
}
