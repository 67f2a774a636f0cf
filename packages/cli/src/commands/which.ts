import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { table } from "../table.ts";

export const which = (): Command =>
  define("which", "Show the providers of machines that this control plane has", "muster which").action(
    (_options: object, command: Command) => show(cliOf(command)),
  );

async function show({ out, connect }: Cli): Promise<void> {
  const { items } = await (await connect()).providers.list({});
  out.data(items);
  const rows = items.map(({ name, stop }) => [name, stop ? "yes" : "no, only terminated"]);
  out.print(table(["PROVIDER", "MACHINES CAN BE STOPPED"], rows));
}
