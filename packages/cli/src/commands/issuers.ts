import type { InputOf, OutputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { age, plural } from "../format.ts";
import { readIssuers } from "../issuer-file.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";

type Info = OutputOf<Routes["issuers.get"]>;
type Body = InputOf<Routes["issuers.set"]>["body"];

export const issuers = (): Command =>
  group("issuers", "Say whom to believe when people and programs sign in, and what they become here", [
    define("set", "Set issuers from a file, new or anew", "muster issuers set examples/issuers.yaml")
      .argument("<file>", "YAML or JSON with an issuer in each document; - for standard input")
      .action((file: string, _options: object, command: Command) => set(cliOf(command), file)),
    define("list", "Show the workspace's issuers", "muster issuers list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("show", "Show one issuer and its rules, in the order in which they are tried", "muster issuers show github")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    define("remove", "Remove issuers: nobody signs in by them any more", "muster issuers remove github")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

async function set({ out, cwd, connect }: Cli, file: string): Promise<void> {
  const named = await readIssuers(cwd, file);
  const client = await connect();
  const infos = [];
  for (const { name, change } of named) {
    // The control plane judges it, and says all that is wrong with it.
    const info = await client.issuers.set({ params: { name }, body: change as unknown as Body });
    out.print(
      `Set ${info.name}: ${info.kind}${info.url === undefined ? "" : ` of ${info.url}`}, ${plural(info.rules.length, "rule")}.`,
    );
    infos.push(info);
  }
  out.data(infos.length === 1 ? infos[0] : infos);
  out.note(out.style("dim", "  tokens that it has led to stay good until they end"));
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.issuers.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  const now = Date.now();
  const rows = items.map(one => [
    one.name,
    one.kind,
    one.url ?? "-",
    String(one.rules.length),
    one.changedBy,
    age(now - one.changedAt),
  ]);
  out.print(table(["NAME", "KIND", "URL", "RULES", "SET BY", "AGE"], rows));
}

async function show({ out, connect }: Cli, name: string): Promise<void> {
  const info = await (await connect()).issuers.get({ params: { name } });
  out.data(info);
  out.print(table(["", ""], facts(info)));
  out.print("");
  const rows = info.rules.map((rule, at) => [
    String(at + 1),
    rule.role,
    rule.workspace ?? "-",
    rule.role === "none" ? "-" : `${rule.minutes} min`,
    Object.entries(rule.when)
      .map(([claim, wanted]) => `${claim}=${[wanted].flat().join("|")}`)
      .join(" "),
  ]);
  out.print(table(["RULE", "ROLE", "WORKSPACE", "FOR", "WHEN"], rows));
}

const facts = (info: Info): string[][] => [
  ["name", info.name],
  ["kind", info.kind],
  ...(info.url === undefined ? [] : [["url", info.url]]),
  ...(info.clientId === undefined ? [] : [["client", info.clientId]]),
  ...(info.audiences.length === 0 ? [] : [["audiences", info.audiences.join(" ")]]),
  ["known by", info.as],
];

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  const matter = `nobody signs in by ${names.length === 1 ? "it" : "them"} any more`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed = [];
  for (const name of names) {
    const info = await client.issuers.remove({ params: { name } });
    out.print(`Removed ${info.name}.`);
    removed.push(info);
  }
  out.data(removed);
}
