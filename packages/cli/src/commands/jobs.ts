import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Columns from "../job-columns.ts";
import { addFilterOptions, type FilterOptions, queryOf } from "../job-filter.ts";
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
  const names = options.columns ?? Columns.DEFAULT;
  out.data(listed);
  if (options.csv) return out.print(Columns.csv(listed, names));
  if (listed.length === 0) return out.print("No job is like that.\n  those that run or wait: muster queue");
  const now = Date.now();
  const head = names.map(name => name.toUpperCase());
  out.print(
    table(
      head,
      listed.map(job => Columns.cells(out, job, names, now)),
    ),
  );
  if (found.length >= options.limit) out.aside(`the newest ${listed.length}; more with --limit`);
}
