/** The options by which commands that list jobs choose among them. */
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { type Command, InvalidArgumentError } from "commander";
import * as Find from "./find.ts";
import { instant } from "./time-option.ts";

export interface FilterOptions {
  readonly state?: string;
  readonly name?: string | undefined;
  readonly label?: readonly string[] | undefined;
  readonly provider?: string;
  readonly mine?: boolean | undefined;
  readonly since?: number;
  readonly until?: number;
}

export const addFilterOptions = (command: Command): Command =>
  command
    .option("-s, --state <states>", "only those in these states: queued,running; or pending, failed, …")
    .option("-n, --name <name>", "only those of this name; * stands for any text")
    .option("-l, --label <key[=value]>", "only those with this label; may be given more than once", label)
    .option("--provider <name>", "only those on this provider")
    .option("--mine", "only your own")
    .option("--since <time>", "submitted since then: 2h, 3d, 2026-01-31", time)
    .option("--until <time>", "submitted before then", time);

const time = (given: string): number => instant(given);

/** Collects labels. */
export function label(given: string, earlier: readonly string[] = []): readonly string[] {
  if (given.includes(",")) throw new InvalidArgumentError("Write one label; --label may be given more than once.");
  return [...earlier, given];
}

type Query = NonNullable<InputOf<Routes["jobs.list"]>["query"]>;

/** What the options say, as a query. */
export async function queryOf(client: Client, cluster: string | undefined, options: FilterOptions): Promise<Query> {
  const { state, name, label: labels, provider, mine, since, until } = options;
  return {
    ...(cluster !== undefined && { cluster: (await Find.cluster(client, cluster)).id }),
    ...(state !== undefined && { state }),
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels: labels.join() }),
    ...(provider !== undefined && { provider }),
    ...(mine && { owner: "me" }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}
