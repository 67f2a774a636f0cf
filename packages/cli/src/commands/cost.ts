import type * as Budget from "@muster/core/budget/budget.ts";
import type { Costs } from "@muster/core/cost/read.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { money } from "../format.ts";
import { ahead } from "../idle.ts";
import { table } from "../table.ts";

type By = Costs["by"];

interface Options {
  readonly by: By;
  readonly month?: string;
  readonly csv?: boolean;
}

export const cost = (): Command =>
  define("cost", "Show what a month has cost, by user, cluster, job or label", "muster cost --by cluster")
    .addOption(
      new Option("--by <what>", "what it is added up by").choices(["user", "cluster", "job", "label"]).default("user"),
    )
    .option("--month <month>", "such as 2026-11, in UTC; absent: this one")
    .option("--csv", "as comma-separated values")
    .action((options: Options, command: Command) => show(cliOf(command), options));

async function show({ out, connect }: Cli, { by, month, csv }: Options): Promise<void> {
  const client = await connect();
  const query = { by, ...(month !== undefined && { month }) };
  const [costs, budget] = await Promise.all([client.costs.get({ query }), client.budgets.get({ query: {} })]);
  out.data({
    ...costs,
    ceilings: { hourly: budget.hourly.ceiling, monthly: budget.monthly.ceiling, each: budget.each },
  });
  if (csv) return out.print(csvOf(costs));
  const rows = costs.items.map(one => [one.id, one.name ?? "", money(one.cost), nowOf(one, Date.now())]);
  if (rows.length > 0) out.print(`${table([by.toUpperCase(), "NAME", "COST", "NOW"], rows)}\n`);
  for (const line of summary(costs, budget)) out.print(line);
  if (!costs.complete) out.note("There is more than was read: these are the newest, and the total counts all.");
}

/** What it costs now: of a cluster that is stopped its disks, until its policy ends it. */
function nowOf({ hourly, stopped, endsAt }: Costs["items"][number], now: number): string {
  const rate = hourly === undefined ? "" : `${money(hourly)}/h`;
  if (!stopped) return rate;
  const until = endsAt === undefined ? "" : `, ends ${endsAt > now ? `in ${ahead(endsAt - now)}` : "now"}`;
  return `${rate === "" ? "" : `${rate}, `}stopped${until}`;
}

function summary({ month, total, forecast }: Costs, { hourly, monthly, each }: Budget.Info): string[] {
  const of = monthly.ceiling === undefined ? "" : ` of ${money(monthly.ceiling)}`;
  const most = [
    ...(hourly.ceiling === undefined ? [] : [`${money(hourly.ceiling)} for all`]),
    ...(each === undefined ? [] : [`${money(each)} for each user`]),
  ];
  return [
    `${month}: ${money(total)}${of}`,
    ...(forecast === undefined ? [] : [`forecast: ${money(forecast)}, as things go on`]),
    ...(forecast === undefined
      ? []
      : [`taken: ${money(hourly.taken)} per hour${most.length > 0 ? `; at most ${most.join(", ")}` : ""}`]),
  ];
}

function csvOf({ month, by, items }: Costs): string {
  const lines = items.map(({ id, name = "", cost: amount }) => [month, by, id, name, String(amount)]);
  return [["month", "by", "id", "name", "dollars"], ...lines].map(line => line.map(quoted).join(",")).join("\r\n");
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
