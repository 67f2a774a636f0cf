import type * as Budget from "@muster/core/budget/budget.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import type { Output } from "../output.ts";
import { table } from "../table.ts";
import { dollars } from "../task-options.ts";

type Ceiling = number | "none";

interface Options {
  readonly hourly?: Ceiling;
  readonly monthly?: Ceiling;
  readonly each?: Ceiling;
  readonly user?: string;
}

const ceiling = (given: string): Ceiling => (given.toLowerCase() === "none" ? "none" : dollars(0)(given));

const amount = (given: Ceiling): number | null => (given === "none" ? null : given);

export const budget = (): Command =>
  define(
    "budget",
    "Show what the workspace's machines, or a user's, may cost, or set it",
    "muster budget --monthly 500",
  )
    .option("--hourly <dollars>", "set the ceiling, in US dollars per hour, or none (admins)", ceiling)
    .option("--monthly <dollars>", "set the ceiling, in US dollars per month, or none (admins)", ceiling)
    .option("--each <dollars>", "set the ceiling per hour of each user who has none of their own, or none", ceiling)
    .option("--user <name>", "that of this user alone, such as usr_ada")
    .action((options: Options, command: Command) => run(cliOf(command), options));

async function run({ out, connect }: Cli, { user, hourly, monthly, each }: Options): Promise<void> {
  const client = await connect();
  const whose = user === undefined ? {} : { user };
  const change = {
    ...(hourly !== undefined && { hourly: amount(hourly) }),
    ...(monthly !== undefined && { monthly: amount(monthly) }),
    ...(each !== undefined && { each: amount(each) }),
  };
  const info =
    Object.keys(change).length === 0
      ? await client.budgets.get({ query: whose })
      : await client.budgets.set({ body: { ...change, ...whose } });
  show(out, info);
}

const money = (amount: number | undefined): string => (amount === undefined ? "-" : `$${amount.toFixed(2)}`);
const leftOf = (most: number | undefined, used: number): number | undefined =>
  most === undefined ? undefined : Math.max(0, most - used);

/** A budget, and what goes on in it. */
export function show(out: Output, info: Budget.Info): void {
  const { hourly, monthly, each, frozen } = info;
  const [left, leftOver] = [leftOf(hourly.ceiling, hourly.taken), leftOf(monthly.ceiling, monthly.spent)];
  out.data({ ...info, hourly: { ...hourly, left }, monthly: { ...monthly, left: leftOver } });
  const rows = [
    ["per hour", money(hourly.ceiling), money(hourly.taken), money(left), ""],
    [monthly.month, money(monthly.ceiling), money(monthly.spent), money(leftOver), money(monthly.forecast)],
    ...(each === undefined ? [] : [["each user, per hour", money(each), "", "", ""]]),
  ];
  out.print(table(["", "CEILING", "USED", "LEFT", "FORECAST"], rows));
  if (frozen) out.note(`${frozenAs(frozen)} Let it go on: muster unfreeze`);
  if (hourly.taken > (hourly.ceiling ?? Infinity))
    out.note(
      "More is taken than the ceiling allows: nothing is ended, and nothing more begins. See it with: muster status",
    );
}

function frozenAs({ by, at, stop, done }: NonNullable<Budget.Info["frozen"]>): string {
  const stops = done ? "All has stopped that can be." : "What runs is being stopped.";
  return `Frozen by ${by} at ${new Date(at).toISOString()}: nothing begins any more.${stop ? ` ${stops}` : ""}`;
}
