import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type { Command } from "commander";
import type { Launched } from "../attend.ts";
import { type Cli, cliOf } from "../cli.ts";
import { refusal, withCluster } from "../cluster-file.ts";
import { planned } from "../idle.ts";
import { interrupt, orLeave } from "../interrupt.ts";
import * as LocalDisks from "../local-disks.ts";
import * as Plan from "../plan.ts";
import * as Pool from "../pool/shown.ts";
import { accept, type Reading, readTask, type Wish } from "../task-file.ts";
import * as Options from "../task-options.ts";
import { stay } from "../wind-up.ts";

interface UpOptions
  extends Options.TaskOptions,
    Options.ClusterOptions,
    Pick<Options.FlowOptions, "detach" | "dryRun"> {
  readonly down?: boolean;
  /** Of a file of several clusters the one that is meant. */
  readonly only?: string;
  /** A cluster's definition as Runhouse keeps it. */
  readonly fromJson?: string;
}

export const up = (): Command => {
  const command = Options.taskCommand(
    "up",
    "Create, start or grow a cluster, and run nothing on it",
    "muster up -c demo --num_nodes 2",
    "--resources.cloud local   --num_nodes 2",
  ).argument("[file]", "task file, for what it says of machines; or one that says what a cluster is");
  Options.addClusterOptions(command);
  Options.addPoolOption(command);
  command.option("--down", "with -i: terminate the cluster when it is idle, rather than stop it");
  command.option("--only <name>", "of a file of several clusters, the one that is meant");
  command.option("--from-json <file>", "cluster's definition as Runhouse keeps it, in JSON");
  Options.addFlowOptions(command);
  return command.action((file: string | undefined, options: UpOptions) =>
    create(cliOf(command), file, options, command.overrides),
  );
};

type Body = InputOf<Routes["clusters.create"]>["body"];

const JOBS_OWN =
  "the container image is for jobs, not for hosts: jobs of this file (muster run) begin in it, others do not";

async function create(
  cli: Cli,
  argument: string | undefined,
  said: UpOptions,
  overrides: readonly string[],
): Promise<void> {
  const { out } = cli;
  const { file, dialect } = source(argument, said);
  const read = await readTask(cli.cwd, { file, overrides, bare: true, ...said, dialect });
  const { result, cluster: named } = withCluster(read, file, said.only);
  const options = { ...(named !== undefined && { cluster: named }), ...said };
  const reading = accept(out, file, result);
  const hosts = Options.hostsOf(reading.draft, options);
  using stop = interrupt();
  const client = await cli.connect();
  const isCluster = result.tasks !== read.tasks;
  const decided = await orLeave(cli, stop, () =>
    decide(client, reading, options, hosts).catch(error => {
      throw isCluster ? refusal(error) : error;
    }),
  );
  if (decided === undefined) return;
  const { plan, body } = decided;
  const { maxLifetime } = body;
  for (const line of Plan.lines(out, { plan, reading, down: false, maxLifetime })) out.note(line);
  const isSaid = file !== undefined || overrides.length > 0;
  if (isSaid && hosts.groups === undefined && plan.reused && reading.draft.task.nodes < plan.nodes)
    out.note(`  cluster ${plan.cluster} has ${plan.nodes} hosts already; clusters do not shrink`);
  if (reading.draft.task.container !== undefined) out.note(`  ${JOBS_OWN}`);
  if (options.dryRun) return Plan.showOffers(out, plan);
  const { pool } = options;
  const launched = pool === undefined ? await make(client, body, plan) : await take(cli, client, body, pool);
  process.exitCode = await stay(cli, { client, launched, stop, detach: options.detach ?? false });
}

async function make(client: Client, body: Body, { reused }: Launch.Plan): Promise<Launched> {
  const created = await client.clusters.create({ body }, { idempotencyKey: randomUUID() });
  return { cluster: await awake(client, created), reused };
}

/** What a pool gives is taken by a launch that brings no job. */
async function take(
  { out }: Cli,
  client: Client,
  { name, nodes, resources, ...rest }: Body,
  pool: string,
): Promise<Launched> {
  const task = { ...(nodes !== undefined && { nodes }), ...(resources !== undefined && { resources }) };
  const body = { ...rest, task, pool, ...(name !== undefined && { cluster: name }) };
  const launched = await client.launches.create({ body }, { idempotencyKey: randomUUID() });
  if (launched.pool) out.note(Pool.origin(launched.pool, launched.cluster));
  return { ...launched, cluster: launched.reused ? await awake(client, launched.cluster) : launched.cluster };
}

/** The file, and whose rules it is read by. @throws MusterError `invalid_request` for two files. */
function source(file: string | undefined, { fromJson, dialect }: UpOptions): Pick<Wish, "file" | "dialect"> {
  if (fromJson === undefined) return { file, dialect };
  if (file === undefined) return { file: fromJson, dialect: "runhouse" };
  throw new MusterError("invalid_request", `${file} and --from-json both say what the cluster is`, {
    hint: "give one of them",
  });
}

async function decide(
  client: Client,
  { draft }: Reading,
  options: UpOptions,
  { resources, groups }: Options.Hosts,
): Promise<{ plan: Launch.Plan; body: Body }> {
  const { nodes } = draft.task;
  const named = options.cluster === undefined ? {} : { cluster: options.cluster };
  const asked = draft.idle === undefined ? {} : { idle: draft.idle };
  const living = Options.living(options, draft);
  const task = { resources, nodes };
  const kinds = { ...(groups !== undefined && { groups }), ...Options.placing(options), ...Options.pooling(options) };
  const drawn = await client.launches.plan({ body: { task, ...kinds, ...named, ...asked, ...living } });
  const { plan, idle = draft.idle } = planned(await LocalDisks.completed(client, drawn), {
    given: options.idleMinutesToAutostop,
    down: options.down ?? false,
    file: draft.idle,
  });
  const body: Body = {
    ...(options.cluster !== undefined && { name: options.cluster }),
    ...(groups === undefined ? { resources, nodes } : { groups }),
    ...(idle !== undefined && { idle }),
    ...living,
    ...Options.placing(options),
    shared: options.share ?? false,
  };
  return { plan, body };
}

/** A cluster that was found asleep is woken. */
const awake = async (client: Client, cluster: Cluster.Info): Promise<Cluster.Info> =>
  cluster.state === "stopped" ? client.clusters.start({ params: { cluster: cluster.id } }) : cluster;
