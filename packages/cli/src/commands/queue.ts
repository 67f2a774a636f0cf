import type { Client } from "@muster/api/client.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { addFilterOptions, type FilterOptions, queryOf } from "../job-filter.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

interface Options extends FilterOptions {
  readonly all?: boolean;
}

export const queue = (): Command =>
  addFilterOptions(
    define("queue", "Show jobs that run or wait, in their order", "muster queue demo").argument(
      "[cluster]",
      "only the jobs of this cluster",
    ),
  )
    .option("-a, --all", "also jobs that have ended, newest first")
    .action((cluster: string | undefined, options: Options, command: Command) =>
      show(cliOf(command), cluster, options),
    );

type Query = Awaited<ReturnType<typeof queryOf>>;

const list = (client: Client, query: Query): Promise<Job.Info[]> =>
  all(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));

async function show({ out, connect }: Cli, name: string | undefined, options: Options): Promise<void> {
  const client = await connect();
  const query = await queryOf(client, name, options);
  const { cluster, ...filter } = query;
  const isChosen = Object.keys(filter).length > 0;
  const where = `${isChosen ? " like that" : ""}${name === undefined ? "" : ` on ${name}`}`;
  if (options.all) {
    const jobs = await list(client, query);
    out.data(jobs);
    return out.print(jobs.length === 0 ? `No job has run${where}.` : Shown.history(out, jobs, Date.now()));
  }
  const order = await ordered(client, query, cluster, isChosen);
  out.data(order.map(({ job, position }) => ({ ...job, ...(position !== undefined && { position }) })));
  out.print(order.length === 0 ? nothing(name, where) : Shown.queue(out, order, Date.now()));
}

/** A job's place in the queue is the same whatever was asked for: also those that are left out stand before it. */
async function ordered(
  client: Client,
  query: Query,
  cluster: string | undefined,
  isChosen: boolean,
): Promise<Shown.Queued[]> {
  const active = await list(client, { active: "true", ...(cluster !== undefined && { cluster }) });
  const order = Shown.queueOrder(active);
  if (!isChosen) return order;
  const chosen = new Set((await list(client, { active: "true", ...query })).map(job => job.id));
  return order.filter(({ job }) => chosen.has(job.id));
}

function nothing(name: string | undefined, where: string): string {
  return (
    `No jobs run or wait${where}.\n` +
    `  those that have ended: muster queue --all${name === undefined ? "" : ` ${name}`}\n` +
    `  run one: muster launch FILE${name === undefined ? "" : ` -c ${name}`}`
  );
}
