import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Id from "@muster/core/id.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import type { Output } from "../output.ts";
import * as Shown from "../shown.ts";

export const why = (): Command =>
  define("why", "Say why a job is where it is", "muster why job_01JABCDEFGHJKMNPQRSTVWXYZ0")
    .argument("<subject>", "id of a job, or name or id of a cluster: its latest job, rather one that has not ended")
    .action((subject: string, _options: object, command: Command) => explain(cliOf(command), subject));

async function explain({ out, connect }: Cli, subject: string): Promise<void> {
  const client = await connect();
  const failed = Id.is("job", subject) ? undefined : await withoutJob(client, subject);
  if (failed !== undefined) return fate(out, failed);
  const { id } = await Find.job(client, subject);
  const answer = await client.jobs.why({ params: { job: id } });
  out.data(answer);
  const { job, cluster, reasons } = answer;
  const where = cluster === undefined ? job.clusterName : `${cluster.name}, which is ${cluster.state}`;
  out.print(
    `${job.id} ${job.state === "succeeded" || job.state === "failed" ? "has" : "is"} ${Shown.state(out, job.state)} on ${where}`,
  );
  if (job.exitCode !== undefined && job.failure?.code !== "exit_code") out.print(`  exit code ${job.exitCode}`);
  // That it is in its state was said.
  for (const reason of reasons.filter(one => one !== `it is ${job.state}`)) out.print(`  ${reason}`);
}

/** The cluster that never came to run a job, and why; undefined for others. */
async function withoutJob(client: Client, subject: string): Promise<Cluster.Info | undefined> {
  const cluster = await Find.placeOf(client, subject);
  if (cluster.failure === undefined) return undefined;
  const { items } = await client.jobs.list({ query: { cluster: cluster.id, limit: 1 } });
  return items.length === 0 ? cluster : undefined;
}

function fate(out: Output, cluster: Cluster.Info): void {
  out.data({ cluster, reasons: [cluster.failure?.message, cluster.failure?.hint].filter(one => one !== undefined) });
  out.print(`cluster ${cluster.name} is ${Shown.state(out, cluster.state)}; no job has run on it`);
  for (const reason of [cluster.failure?.message, cluster.failure?.hint]) if (reason) out.print(`  ${reason}`);
}
