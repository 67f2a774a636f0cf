import type { Client } from "@muster/api/client.ts";
import type * as Job from "@muster/core/job/job.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Columns from "../job-columns.ts";
import { addFilterOptions, type FilterOptions, queryOf } from "../job-filter.ts";
import * as Groups from "../job-groups.ts";
import type { Output } from "../output.ts";
import { all } from "../pages.ts";
import * as Runs from "../runs.ts";
import { table } from "../table.ts";
import { count } from "../task-command.ts";

interface Options extends FilterOptions {
  readonly limit: number;
  readonly sort?: readonly Columns.Order[];
  readonly columns?: readonly Columns.Name[];
  readonly csv?: boolean;
  readonly array?: string;
  readonly groupBy?: Groups.By;
}

const USUAL = 50;
const MOST = 100_000;

export const jobs = (): Command =>
  addFilterOptions(
    define(
      "jobs",
      "List jobs, newest first, also those that have ended",
      "muster jobs --state failed --since 1d",
    ).argument("[cluster]", "only the jobs of this cluster"),
  )
    .option("--limit <number>", `most jobs to list (default: ${USUAL})`, count(1, MOST), USUAL)
    .option("--sort <columns>", "order by these columns, such as state,-took", Columns.orders)
    .option("--columns <names>", `what to tell: ${Columns.DEFAULT.join(",")}, …`, Columns.columns)
    .addOption(new Option("--group-by <what>", "jobs of one kind together").choices(Groups.BY).conflicts("csv"))
    .option("--array <id>", "the runs of this array that have begun, with their values")
    .option("--csv", "as comma-separated values")
    .action((cluster: string | undefined, options: Options, command: Command) =>
      options.array === undefined
        ? show(cliOf(command), cluster, options)
        : showRuns(cliOf(command), options.array, options.limit),
    );

async function showRuns({ out, connect }: Cli, array: string, limit: number): Promise<void> {
  const client = await connect();
  const { runs } = await client.jobs.get({ params: { job: array } });
  const query = { array, limit: Math.min(limit, 100) };
  const page = (cursor: string | undefined) =>
    client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } });
  const found = (await all(page, limit)).slice(0, limit);
  out.data(found);
  out.print(found.length === 0 ? "None of its runs has begun." : Runs.rows(out, found, Date.now()));
  if (runs) out.aside(Runs.progress(runs));
}

async function show({ out, connect }: Cli, cluster: string | undefined, options: Options): Promise<void> {
  const client = await connect();
  const query = await queryOf(client, cluster, options);
  const limit = Math.min(options.limit, 100);
  const found = await all(
    cursor => client.jobs.list({ query: { ...query, limit, ...(cursor !== undefined && { cursor }) } }),
    options.limit,
  );
  const listed = Columns.sorted(found.slice(0, options.limit), options.sort ?? []);
  const names = options.columns ?? Columns.usual(listed);
  if (options.groupBy !== undefined) return showGroups({ out, client }, listed, names, options);
  out.data(listed);
  if (options.csv) return out.print(Columns.csv(listed, names));
  if (listed.length === 0) return out.print("No job is like that.\n  those that run or wait: muster queue");
  const now = Date.now();
  out.print(rowsOf(out, listed, names, now));
  if (found.length >= options.limit) out.aside(`the newest ${listed.length}; more with --limit`);
}

function rowsOf(out: Output, jobs: readonly Job.Info[], names: readonly Columns.Name[], now: number): string {
  const head = names.map(name => name.toUpperCase());
  return table(
    head,
    jobs.map(job => Columns.cells(out, job, names, now)),
  );
}

/** Under each value its jobs; of providers also those that have none. */
async function showGroups(
  { out, client }: { readonly out: Output; readonly client: Client },
  jobs: readonly Job.Info[],
  names: readonly Columns.Name[],
  { groupBy = "state", provider }: Options,
): Promise<void> {
  const known = groupBy === "provider" && provider === undefined ? (await client.providers.list()).items : [];
  const groups = Groups.groupsOf(
    jobs,
    groupBy,
    known.map(one => one.name),
  );
  out.data(groups);
  const now = Date.now();
  for (const [index, [value, some]] of Object.entries(groups).entries()) {
    if (index > 0) out.print("");
    out.print(out.paint("bold", value));
    out.print(some.length === 0 ? "no jobs" : rowsOf(out, some, names, now));
  }
}
