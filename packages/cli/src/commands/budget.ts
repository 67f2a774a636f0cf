import type * as Budget from "@muster/core/budget/budget.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { dollars } from "../task-options.ts";

interface Options {
  readonly hourly?: number;
}

export const budget = (): Command =>
  define("budget", "Show what the workspace's machines may cost per hour, or set it", "muster budget --hourly 25")
    .option("--hourly <dollars>", "set the ceiling, in US dollars per hour (admins)", dollars(0))
    .action((options: Options, command: Command) => run(cliOf(command), options));

async function run({ out, connect }: Cli, { hourly }: Options): Promise<void> {
  const client = await connect();
  const info = hourly === undefined ? await client.budgets.get({}) : await client.budgets.set({ body: { hourly } });
  const left = Math.max(0, info.hourly.ceiling - info.hourly.taken);
  out.data({ hourly: { ...info.hourly, left } });
  for (const [label, amount] of rows(info, left)) out.print(`${label.padEnd(8)} ${amount}`);
  if (info.hourly.taken > info.hourly.ceiling)
    out.note(
      "More is taken than the ceiling allows: nothing is ended, and nothing more begins. See it with: muster status",
    );
}

function rows({ hourly: { ceiling, taken } }: Budget.Info, left: number): [string, string][] {
  const amounts = [ceiling, taken, left].map(amount => `$${amount.toFixed(2)}`);
  const width = Math.max(...amounts.map(text => text.length));
  const [most = "", used = "", rest = ""] = amounts.map(text => text.padStart(width));
  return [
    ["ceiling", `${most} per hour`],
    ["taken", `${used} per hour, by clusters that run or are about to`],
    ["left", `${rest} per hour`],
  ];
}
