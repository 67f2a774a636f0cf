import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Shown from "../shown.ts";

export const why = (): Command =>
  define("why", "Say why a job is where it is", "muster why job_01JABCDEFGHJKMNPQRSTVWXYZ0")
    .argument("<job>", "id of the job")
    .action((job: string, _options: object, command: Command) => explain(cliOf(command), job));

async function explain({ out, connect }: Cli, id: string): Promise<void> {
  const answer = await (await connect()).jobs.why({ params: { job: id } });
  out.data(answer);
  const { job, cluster, reasons } = answer;
  const where = cluster === undefined ? job.clusterName : `${cluster.name}, which is ${cluster.state}`;
  out.print(`${job.id} is ${Shown.state(out, job.state)} on ${where}`);
  for (const reason of reasons) out.print(`  ${reason}`);
}
