import type { Client } from "@muster/api/client.ts";
import type { Counts } from "@muster/core/array/counts.ts";
import { MusterError } from "@muster/core/error.ts";
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
    .option("--array <id>", "only the runs of this array, those that have begun, with their values")
    .option("--csv", "as comma-separated values")
    .action((cluster: string | undefined, options: Options, command: Command) =>
      show(cliOf(command), cluster, options),
    );

async function show({ out, connect }: Cli, cluster: string | undefined, options: Options): Promise<void> {
  const { array } = options;
  if (array !== undefined && cluster !== undefined) throw twice(array, cluster);
  const client = await connect();
  const counts = array === undefined ? undefined : (await client.jobs.get({ params: { job: array } })).runs;
  const query = { ...(await queryOf(client, cluster, options)), ...(array !== undefined && { array }) };
  const limit = Math.min(options.limit, 100);
  const found = await all(
    cursor => client.jobs.list({ query: { ...query, limit, ...(cursor !== undefined && { cursor }) } }),
    options.limit,
  );
  const listed = Columns.sorted(found.slice(0, options.limit), options.sort ?? []);
  const told = toldOf(listed, options);
  if (found.length >= options.limit)
    out.aside(`the ${counts ? "first" : "newest"} ${listed.length}; more with --limit`);
  if (options.groupBy !== undefined) return showGroups({ out, client }, listed, told, options);
  out.data(listed);
  if (options.csv) return out.print(Columns.csv(listed, told.names, told.values));
  out.print(
    listed.length === 0 ? nothing(Object.keys(query).length > 0, counts) : rowsOf(out, listed, told, Date.now()),
  );
  if (counts) out.aside(Runs.progress(counts));
}

const twice = (array: string, cluster: string): MusterError =>
  new MusterError("invalid_request", `the runs of ${array} are all on its own cluster`, {
    hint: `leave out ${cluster}`,
  });

function nothing(isChosen: boolean, counts: Counts | undefined): string {
  if (counts?.started === 0) return "None of its runs has begun.";
  if (!isChosen) return "No job has been submitted yet.\n  run one: muster launch FILE";
  return `No ${counts ? "run" : "job"} is like that.\n  those that run or wait: muster queue`;
}

/** What is told of each: columns, and behind them values of runs by the names of their parameters. */
interface Told {
  readonly names: readonly Columns.Name[];
  readonly values: readonly string[];
}

function toldOf(jobs: readonly Job.Info[], { columns, array }: Options): Told {
  if (columns !== undefined) return { names: columns, values: [] };
  if (array === undefined) return { names: Columns.usual(jobs), values: [] };
  return { names: Columns.OF_RUNS, values: [...new Set(jobs.flatMap(job => Object.keys(job.values ?? {})))] };
}

function rowsOf(out: Output, jobs: readonly Job.Info[], { names, values }: Told, now: number): string {
  const head = [...names.map(name => name.toUpperCase()), ...values];
  return table(
    head,
    jobs.map(job => [
      ...Columns.cells(out, job, names, now),
      ...values.map(name => Columns.parameterOf(job, name) ?? "-"),
    ]),
  );
}

/** Under each value its jobs; of providers also those that have none. */
async function showGroups(
  { out, client }: { readonly out: Output; readonly client: Client },
  jobs: readonly Job.Info[],
  told: Told,
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
    out.print(some.length === 0 ? "no jobs" : rowsOf(out, some, told, now));
  }
}
