import type { Client } from "@muster/api/client.ts";
import type { Event } from "@muster/core/event/event.ts";
import * as Id from "@muster/core/id.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { moment } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";

export const events = (): Command =>
  define("events", "Show what happened to a job or a cluster, oldest first", "muster events demo")
    .argument("<subject>", "id of a job, or name or id of a cluster; budget: the workspace's budgets")
    .action((subject: string, _options: object, command: Command) => show(cliOf(command), subject));

async function show({ out, connect }: Cli, subject: string): Promise<void> {
  const items = await read(await connect(), subject);
  out.data(items);
  const now = Date.now();
  const rows = items.map(event => [
    moment(event.at, now),
    event.kind,
    event.from ?? "-",
    event.actor,
    event.message ?? details(event),
  ]);
  out.print(items.length === 0 ? "Nothing has happened yet." : table(["TIME", "EVENT", "FROM", "BY", ""], rows));
}

/** What is told of it where it has no sentence: `hosts 100, gpus none`. */
const details = ({ details: said = {} }: Event): string =>
  Object.entries(said)
    .flatMap(([name, value]) => (typeof value === "object" && value !== null ? [] : [`${name} ${value ?? "none"}`]))
    .join(", ");

async function read(client: Client, subject: string): Promise<Event[]> {
  if (subject === "budget")
    return all(cursor => client.budgets.events({ query: cursor === undefined ? {} : { cursor } }));
  const query = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });
  if (Id.is("job", subject))
    return all(cursor => client.jobs.events({ params: { job: subject }, query: query(cursor) }));
  const { id } = await Find.placeOf(client, subject);
  return all(cursor => client.clusters.events({ params: { cluster: id }, query: query(cursor) }));
}
