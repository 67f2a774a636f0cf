import type { Client } from "@muster/api/client.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { all } from "../pages.ts";
import * as Runs from "../runs.ts";
import { setting } from "../schedule/set.ts";
import * as Shown from "../schedule/shown.ts";

/** Lines of its history that are shown. */
const LATEST = 10;

type Info = Schedule.Info;

export const schedule = (): Command =>
  group("schedule", "Launch tasks again and again, at times that a line of cron says", [
    setting(),
    define("list", "Show the workspace's schedules", "muster schedule list").action(
      (_options: object, command: Command) => list(cliOf(command)),
    ),
    define("show", "Show one schedule, with its next times and what it did last", "muster schedule show nightly")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    acting("pause", "Leave times out until it is resumed", "Paused", (client, params) =>
      client.schedules.pause({ params }),
    ),
    acting("resume", "Let a paused schedule go on from its next time", "Resumed", (client, params) =>
      client.schedules.resume({ params }),
    ),
    define("run-now", "Launch now what a schedule launches", "muster schedule run-now nightly")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => runNow(cliOf(command), name)),
    define("rm", "Remove schedules; what they launched goes on", "muster schedule rm nightly")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

/** A command that does one thing to several of them. */
const acting = (
  name: string,
  summary: string,
  done: string,
  act: (client: Client, params: { name: string }) => Promise<Info>,
): Command =>
  define(name, summary, `muster schedule ${name} nightly`)
    .argument("<name...>", "names, as the list shows them")
    .action(async (names: string[], _options: object, command: Command) => {
      const { out, connect } = cliOf(command);
      const client = await connect();
      const infos: Info[] = [];
      for (const one of names) {
        const info = await act(client, { name: one });
        const next = info.nextAt === undefined ? "" : `; next ${Shown.timeIn(info.timeZone, info.nextAt)}`;
        out.print(`${done} ${info.name}${next}.`);
        infos.push(info);
      }
      out.data(infos);
    });

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.schedules.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length > 0) return out.print(Shown.list(items, Date.now()));
  out.print("No schedules. Set one with: muster schedule set NAME --cron '0 3 * * 1-5' FILE");
}

async function show({ out, connect }: Cli, name: string): Promise<void> {
  const client = await connect();
  const params = { name };
  const info = await client.schedules.get({ params });
  const { items } = await client.schedules.events({ params, query: { latest: "true", limit: LATEST } });
  const events = items.toReversed();
  out.data({ ...info, events });
  Shown.details(out, info, events, Date.now());
}

async function runNow({ out, connect }: Cli, name: string): Promise<void> {
  const client = await connect();
  const launched = await client.schedules.run({ params: { name } });
  out.data(launched);
  const { cluster, job } = launched;
  out.note(`Launched on ${cluster.name}.${job === undefined ? "" : ` Follow it with: ${Runs.follower(job)}`}`);
  out.print(job?.id ?? cluster.name);
}

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  for (const name of names) await client.schedules.get({ params: { name } });
  const matter = `this removes ${names.join(", ")}: nothing is launched by ${names.length === 1 ? "it" : "them"} any more`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed: Info[] = [];
  for (const name of names) {
    removed.push(await client.schedules.remove({ params: { name } }));
    out.print(`Removed ${name}.`);
  }
  out.data(removed);
}
