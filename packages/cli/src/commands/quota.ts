import { ALIVE, QUOTAS, type Quota, wordOf } from "@muster/core/quota/quota.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { table } from "../table.ts";
import { count } from "../task-command.ts";

type Limit = number | "none";
type Options = Partial<Readonly<Record<Quota, Limit>>>;

const limit = (given: string): Limit => (given.toLowerCase() === "none" ? "none" : count(0, 1_000_000)(given));

const WHAT: Partial<Readonly<Record<Quota, string>>> = {
  clusters: "clusters that have not ended",
  hosts: "hosts that run, or are about to",
  gpus: "GPUs of such hosts, and their like",
};

export function quota(): Command {
  const command = define(
    "quota",
    "Show how much of each kind the workspace may have at a time, or set it",
    "muster quota --hosts 100",
  );
  for (const name of QUOTAS)
    command.option(`--${name} <number>`, `the most ${WHAT[name] ?? name}, or none (admins)`, limit);
  return command.action((options: Options, command: Command) => run(cliOf(command), options));
}

async function run({ out, connect }: Cli, options: Options): Promise<void> {
  const client = await connect();
  const body = Object.fromEntries(
    QUOTAS.flatMap(name => {
      const given = options[name];
      return given === undefined ? [] : [[name, given === "none" ? null : given]];
    }),
  );
  const info = Object.keys(body).length === 0 ? await client.quotas.get({}) : await client.quotas.set({ body });
  out.data(info);
  const rows = info.quotas.map(({ quota, used, limit: most, default: usual }) => [
    wordOf(quota),
    String(used),
    most === undefined ? "none" : String(most),
    most === usual ? "" : `${usual} by default`,
  ]);
  out.print(table(["", "USED", "LIMIT", ""], rows));
  const over = info.quotas.filter(({ used, limit: most }) => used > (most ?? Infinity)).map(one => wordOf(one.quota));
  if (over.length === 0) return;
  const what = ALIVE.some(name => over.includes(wordOf(name)))
    ? "nothing is ended, and nothing more begins"
    : "they stay";
  out.note(`There are more ${over.join(", ")} than the quota allows: ${what}.`);
}
