import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

interface Options {
  readonly all?: boolean;
}

export const queue = (): Command =>
  define("queue", "Show jobs that run or wait, in their order", "muster queue demo")
    .argument("[cluster]", "only the jobs of this cluster")
    .option("-a, --all", "also jobs that have ended, newest first")
    .action((cluster: string | undefined, options: Options, command: Command) =>
      show(cliOf(command), cluster, options.all ?? false),
    );

async function show({ out, connect }: Cli, name: string | undefined, ended: boolean): Promise<void> {
  const client = await connect();
  const cluster = name === undefined ? undefined : (await Find.cluster(client, name)).id;
  const query = { active: ended ? "false" : "true", ...(cluster !== undefined && { cluster }) };
  const jobs = await all(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));
  const where = name === undefined ? "" : ` on ${name}`;
  if (ended) {
    out.data(jobs);
    return out.print(jobs.length === 0 ? `No job has run${where}.` : Shown.history(out, jobs, Date.now()));
  }
  const order = Shown.queueOrder(jobs);
  out.data(order.map(({ job, position }) => ({ ...job, ...(position !== undefined && { position }) })));
  if (order.length === 0)
    return out.print(
      `No jobs run or wait${where}.\n` +
        `  those that have ended: muster queue --all${name === undefined ? "" : ` ${name}`}\n` +
        `  run one: muster launch FILE${name === undefined ? "" : ` -c ${name}`}`,
    );
  out.print(Shown.queue(out, order, Date.now()));
}
