import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import * as Shown from "../shown.ts";

export const why = (): Command =>
  define("why", "Say why a job is where it is", "muster why job_01JABCDEFGHJKMNPQRSTVWXYZ0")
    .argument("<subject>", "id of a job, or name or id of a cluster: its latest job, rather one that has not ended")
    .action((subject: string, _options: object, command: Command) => explain(cliOf(command), subject));

async function explain({ out, connect }: Cli, subject: string): Promise<void> {
  const client = await connect();
  const { id } = await Find.job(client, subject);
  const answer = await client.jobs.why({ params: { job: id } });
  out.data(answer);
  const { job, cluster, reasons } = answer;
  const where = cluster === undefined ? job.clusterName : `${cluster.name}, which is ${cluster.state}`;
  out.print(`${job.id} is ${Shown.state(out, job.state)} on ${where}`);
  if (job.exitCode !== undefined && job.failure?.code !== "exit_code") out.print(`  exit code ${job.exitCode}`);
  // That it is in its state was said.
  for (const reason of reasons.filter(one => one !== `it is ${job.state}`)) out.print(`  ${reason}`);
}
