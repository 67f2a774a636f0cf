import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

export const queue = (): Command =>
  define("queue", "Show jobs that run or wait, in their order", "muster queue demo")
    .argument("[cluster]", "only the jobs of this cluster")
    .action((cluster: string | undefined, _options: object, command: Command) => show(cliOf(command), cluster));

async function show({ out, connect }: Cli, cluster: string | undefined): Promise<void> {
  const client = await connect();
  const query = { active: "true", ...(cluster !== undefined && { cluster }) };
  const jobs = await all(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));
  const order = Shown.queueOrder(jobs);
  out.data(order.map(({ job, position }) => ({ ...job, ...(position !== undefined && { position }) })));
  const where = cluster === undefined ? "" : ` on ${cluster}`;
  if (order.length === 0)
    return out.print(`No jobs run or wait${where}. Run one: muster launch FILE${cluster ? ` -c ${cluster}` : ""}`);
  out.print(Shown.queue(out, order, Date.now()));
}
