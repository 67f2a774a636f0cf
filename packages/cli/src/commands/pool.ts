import type * as Pool from "@muster/core/pool/info.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { plural } from "../format.ts";
import { all } from "../pages.ts";
import { setting, size } from "../pool/set.ts";
import * as Shown from "../pool/shown.ts";

/** Lines of its history that are shown. */
const LATEST = 10;

export const pool = (): Command =>
  group("pool", "Keep clusters ready, stopped or running, for launches to take", [
    setting(),
    define("list", "Show the workspace's pools", "muster pool list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("show", "Show one pool, with its clusters and what they cost", "muster pool show gpu")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    define("size", "Say how many clusters a pool keeps, until its next change of size", "muster pool size gpu 4")
      .argument("<name>", "its name")
      .argument("<number>", "how many clusters it keeps", size)
      .action((name: string, wanted: number, _options: object, command: Command) =>
        resize(cliOf(command), name, wanted),
      ),
    define("remove", "Remove pools and their clusters; what was taken from them stays", "muster pool remove gpu")
      .alias("rm")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.pools.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length > 0) return out.print(Shown.list(out, items, Date.now()));
  out.print("No pools. Set one with: muster pool set NAME FILE --size 2");
}

async function show({ out, connect }: Cli, name: string): Promise<void> {
  const client = await connect();
  const params = { name };
  const info = await client.pools.get({ params });
  const { items } = await client.pools.events({ params, query: { latest: "true", limit: LATEST } });
  const events = items.toReversed();
  out.data({ ...info, events });
  Shown.details(out, info, events, Date.now());
}

async function resize({ out, connect }: Cli, name: string, wanted: number): Promise<void> {
  const client = await connect();
  const info = await client.pools.resize({ params: { name }, body: { size: wanted } });
  out.data(info);
  out.print(`${info.name} keeps ${info.size} now.`);
}

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  const found: Pool.Details[] = [];
  for (const name of names) found.push(await client.pools.get({ params: { name } }));
  const members = found.reduce((sum, info) => sum + info.members.length, 0);
  const matter = `this removes ${names.join(", ")} and terminates ${plural(members, "cluster")}`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")} and ${plural(members, "cluster")}?`, matter);
  const removed: Pool.Info[] = [];
  for (const name of names) {
    removed.push(await client.pools.remove({ params: { name } }));
    out.print(`Removed ${name}.`);
  }
  out.data(removed);
}
