import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Event } from "@muster/core/event/event.ts";
import * as Id from "@muster/core/id.ts";
import { type Command, InvalidArgumentError } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { moment } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";
import { instant } from "../time-option.ts";

interface Options {
  readonly audit?: boolean;
  readonly by?: string;
  readonly token?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
}

export const events = (): Command =>
  define(
    "events",
    "Show what happened to a job or a cluster, oldest first; or what anybody did",
    "muster events demo\n  muster events --audit --by ada --since 2d",
  )
    .argument("[subject]", "id of a job, or name or id of a cluster; budget: the workspace's budgets")
    .option("--audit", "what people and programs did, from where and with which token, oldest first (admins)")
    .option("--by <name>", "of the audit, only what this person or program did")
    .option("--token <id>", "of the audit, only what was done with this token")
    .option("--since <time>", "of the audit, from then on: 2h, 3d, 2026-01-31; 30 days unless you say more", time)
    .option("--until <time>", "of the audit, up to then", time)
    .option("-n, --limit <count>", "of the audit, the last so many", count, 1000)
    .action((subject: string | undefined, options: Options, command: Command) =>
      options.audit ? showAudit(cliOf(command), subject, options) : show(cliOf(command), required(subject, options)),
    );

const time = (given: string): number => instant(given);

const MOST = 1_000_000;

function count(given: string): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value > 0 && value <= MOST) return value;
  throw new InvalidArgumentError(`Write a number, ${MOST} at most.`);
}

/** Options that choose from the audit mean nothing without it. */
function required(subject: string | undefined, { by, token, since, until }: Options): string {
  if ([by, token, since, until].some(option => option !== undefined))
    throw new MusterError("invalid_request", "--by, --token, --since and --until go with --audit");
  if (subject !== undefined) return subject;
  throw new MusterError("invalid_request", "name a job or a cluster, or ask for what anybody did with --audit");
}

/** The newest are asked for, and shown last, as in every history. */
async function showAudit({ out, connect }: Cli, subject: string | undefined, options: Options): Promise<void> {
  const client = await connect();
  const { by, token, since, until, limit } = options;
  const query = {
    ...(subject !== undefined && { subject: await subjectOf(client, subject) }),
    ...(by !== undefined && { actor: by }),
    ...(token !== undefined && { token }),
    ...(since !== undefined && { since: Math.round(since) }),
    ...(until !== undefined && { until: Math.round(until) }),
  };
  const page = (cursor: string | undefined) =>
    client.audit.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } });
  const items = (await all(page, limit)).slice(0, limit).reverse();
  out.data(items);
  const now = Date.now();
  const rows = items.map(event => [
    moment(event.at, now),
    event.actor,
    event.kind,
    event.subject,
    event.via?.from ?? "-",
    event.via?.token ?? "-",
    event.via?.origin ?? "-",
  ]);
  const heads = ["TIME", "WHO", "DID", "TO", "FROM", "TOKEN", "ORIGIN"];
  out.print(items.length === 0 ? "Nobody has done anything in that time." : table(heads, rows));
}

/** Events tell ids: a cluster may be named as well, while it lives. */
async function subjectOf(client: Client, given: string): Promise<string> {
  if (Id.looksLikeId(given)) return given;
  const { items } = await client.clusters.list({ query: { all: "true" } });
  return items.find(({ name }) => name === given)?.id ?? given;
}

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
