import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { doingOf } from "../doing.ts";
import * as Find from "../find.ts";
import * as Idle from "../idle.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

interface Options {
  readonly all?: boolean;
}

export const status = (): Command =>
  define("status", "Show clusters and the jobs on them", "muster status")
    .argument("[cluster...]", "names or ids; absent: every cluster that has not ended")
    .option("-a, --all", "also clusters that have ended")
    .action((names: string[], options: Options, command: Command) => show(cliOf(command), names, options));

async function show({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  const client = await connect();
  const [clusters, jobs] = await Promise.all([
    read(client, names, options.all ?? false),
    all(cursor => client.jobs.list({ query: { active: "true", ...(cursor !== undefined && { cursor }) } })),
  ]);
  const ofCluster = (id: string) => jobs.filter(job => job.clusterId === id);
  const doing = (cluster: Cluster.Info) => doingOf(cluster, ofCluster(cluster.id));
  out.data(clusters.map(cluster => ({ ...cluster, doing: doing(cluster), jobs: ofCluster(cluster.id) })));
  if (clusters.length === 0)
    return out.print("No clusters. Create one and run something on it: muster launch examples/hello.yaml -c demo");
  const now = Date.now();
  out.print(Shown.clusters(out, clusters, jobs, now));
  const onTheirWay = clusters.filter(cluster => cluster.state !== "ready" && doing(cluster) !== undefined);
  if (onTheirWay.length > 0) out.print("");
  for (const cluster of onTheirWay) out.print(`${cluster.name} is ${cluster.state}: ${doing(cluster)}`);
  const active = Shown.queueOrder(jobs.filter(job => clusters.some(cluster => cluster.id === job.clusterId)));
  if (active.length > 0) out.print(`\n${Shown.queue(out, active, now)}`);
  const services = Shown.endpoints(active.map(({ job }) => job));
  if (services.length > 0) out.print(`\n${services.join("\n")}`);
  for (const line of clusters.flatMap(cluster => kept(cluster, now))) out.print(line);
  for (const line of clusters.flatMap(trouble)) out.print(line);
}

async function read(client: Client, names: readonly string[], ended: boolean): Promise<Cluster.Info[]> {
  if (names.length > 0) return Promise.all(names.map(name => Find.cluster(client, name)));
  const query = { all: ended ? "true" : "false" };
  return all(cursor => client.clusters.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));
}

/** What the disks of a stopped cluster cost and how long; and who holds a cluster. */
function kept(cluster: Cluster.Info, now: number): string[] {
  const resting = Idle.resting(cluster, now);
  const held = Idle.held(cluster, now);
  return [
    ...(resting === undefined ? [] : [`\n${cluster.name} is ${cluster.state}: ${resting}`]),
    ...(held === undefined ? [] : [`\n${cluster.name} is ${held}`]),
  ];
}

/** What went wrong with a cluster, and what to do. */
function trouble({ name, failure }: Cluster.Info): string[] {
  if (failure === undefined) return [];
  return [`\n${name}: ${failure.message}`, ...(failure.hint === undefined ? [] : [`  ${failure.hint}`])];
}
