import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { age } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";

export const workspaces = (): Command =>
  group("workspaces", "Make or list workspaces: each has clusters, people and budgets of its own", [
    define(
      "create",
      "Make a workspace; then a token for its first admin (admins of the first workspace)",
      "muster workspaces create vision\n  muster tokens create ada --role admin --workspace vision",
    )
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => create(cliOf(command), name)),
    define("list", "Show all workspaces (admins of the first one)", "muster workspaces list").action(
      (_options: object, command: Command) => list(cliOf(command)),
    ),
  ]);

async function create({ out, connect }: Cli, name: string): Promise<void> {
  const made = await (await connect()).workspaces.create({ body: { name } });
  out.data(made);
  out.print(`Made workspace ${made.name}.`);
  out.note(out.style("dim", `  let somebody in with: muster tokens create NAME --role admin --workspace ${made.name}`));
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.workspaces.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  const now = Date.now();
  const rows = items.map(({ name, createdAt, createdBy }) => [
    name,
    createdAt === undefined ? "-" : age(now - createdAt),
    createdBy ?? "-",
  ]);
  out.print(table(["WORKSPACE", "AGE", "MADE BY"], rows));
}
