import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { held } from "../idle.ts";
import { seconds } from "../task-options.ts";

interface Options {
  /** Seconds. */
  readonly for?: number;
  readonly reason?: string;
}

export const hold = (): Command =>
  define(
    "hold",
    "Keep jobs from beginning; with --for, clusters from stopping",
    "muster hold demo --for 2h --reason 'looking at what went wrong'",
  )
    .argument("<job...>", "ids of jobs, or clusters: of each the latest job that has not ended; with --for clusters")
    .option(
      "--for <time>",
      "hold clusters for so long, 7d at most: no idle policy stops or ends them; again: longer",
      seconds,
    )
    .option("--reason <text>", "why, for whoever else sees the cluster; with --for")
    .action((ids: string[], options: Options, command: Command) => keep(cliOf(command), ids, options));

export const release = (): Command =>
  define("release", "Let go what is held: jobs and clusters", "muster release demo")
    .argument("<job...>", "ids of jobs, or clusters: each one's hold, else the latest job of it that has not ended")
    .action((ids: string[], _options: object, command: Command) => letGo(cliOf(command), ids));

function keep(cli: Cli, ids: readonly string[], options: Options): Promise<void> {
  if (options.for !== undefined) return keepClusters(cli, ids, options.for, options.reason);
  if (options.reason !== undefined)
    throw new MusterError("invalid_request", "--reason is for clusters, and those are held for some time", {
      hint: "add --for 2h",
    });
  return each(
    cli,
    ids,
    (client, job) => client.jobs.hold({ params: { job } }),
    () => "held",
  );
}

async function keepClusters({ out, connect }: Cli, ids: readonly string[], time: number, reason?: string) {
  const client = await connect();
  const body = { seconds: time, ...(reason !== undefined && { reason }) };
  const found = await inTurn(ids, id => clusterNamed(client, id));
  const clusters = await inTurn(found, ({ id }) => client.clusters.hold({ params: { cluster: id }, body }));
  for (const cluster of clusters) out.print(`${cluster.name}  ${held(cluster, Date.now()) ?? "not held"}`);
  out.data(clusters);
}

/** @throws MusterError `invalid_request` for a job's id. */
async function clusterNamed(client: Client, id: string): Promise<Cluster.Info> {
  if (!Id.is("job", id)) return Find.living(client, id);
  throw new MusterError("invalid_request", `${id} is a job: --for holds clusters`, {
    hint: `keep it from beginning, until it is released, with: muster hold ${id}`,
  });
}

async function letGo(cli: Cli, ids: readonly string[]): Promise<void> {
  const client = await cli.connect();
  const clusters = await inTurn(ids, id => heldCluster(client, id));
  const jobs = ids.filter((_, index) => clusters[index] === undefined);
  const found = clusters.filter(cluster => cluster !== undefined);
  const freed = await inTurn(found, ({ id }) => client.clusters.release({ params: { cluster: id } }));
  for (const { name } of freed) cli.out.print(`${name}  released: its idle policy is followed again`);
  if (jobs.length === 0) return cli.out.data(freed);
  return each(cli, jobs, (it, job) => it.jobs.release({ params: { job } }), released, freed);
}

/** The cluster of this name, when somebody holds it. */
async function heldCluster(client: Client, id: string): Promise<Cluster.Info | undefined> {
  if (Id.is("job", id)) return undefined;
  const cluster = await Find.placeOf(client, id);
  return held(cluster, Date.now()) === undefined ? undefined : cluster;
}

const released = ({ state }: Job.Info): string => (state === "waiting" ? "released" : "was not held");

/** @param before what was done already, and is answered with it */
async function each(
  { out, connect }: Cli,
  ids: readonly string[],
  act: (client: Client, id: string) => Promise<Job.Info>,
  done: (before: Job.Info) => string,
  before: readonly Cluster.Info[] = [],
): Promise<void> {
  const client = await connect();
  // All of them are there before any is touched.
  const found = await inTurn(ids, id => Find.job(client, id));
  const jobs: Job.Info[] = [];
  for (const one of found) {
    const job = await act(client, one.id);
    out.print(`${job.id}  ${done(one)}: ${job.state}`);
    jobs.push(job);
  }
  out.data([...before, ...jobs]);
}

async function inTurn<T, U>(items: readonly T[], run: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}
