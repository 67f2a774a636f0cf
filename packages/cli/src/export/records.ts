/** Every record of a workspace that the API shows, one after the other, page by page. */
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import { each } from "../pages.ts";

/** One line of an export. `kind` says what `record` is. */
export interface Entry {
  readonly kind: "export" | "budget" | "cluster" | "host" | "job" | "event" | "token" | "secret" | "target" | "end";
  readonly record: object;
}

type Cursor = string | undefined;
const from = (cursor: Cursor) => (cursor === undefined ? {} : { cursor });

/** Hosts and histories stand behind what they belong to. The last entry counts the others: without it, a part is missing. */
export async function* records(client: Client, signal: AbortSignal): AsyncGenerator<Entry> {
  const counts: Record<string, number> = {};
  for await (const entry of body(client, signal)) {
    counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
    yield entry;
  }
  yield { kind: "end", record: counts };
}

async function* body(client: Client, signal: AbortSignal): AsyncGenerator<Entry> {
  const { id: actor, workspace, version } = await client.tokens.whoami({}, { signal });
  yield { kind: "export", record: { at: Date.now(), workspace, actor, version, program: VERSION } };
  yield { kind: "budget", record: await client.budgets.get({}, { signal }) };
  yield* clusters(client, signal);
  yield* jobs(client, signal);
  yield* names(client, signal);
  yield* tokens(client, signal);
}

/** Targets, and of secrets who set them and when: values are shown to nobody. */
async function* names(client: Client, signal: AbortSignal): AsyncGenerator<Entry> {
  for await (const target of each(cursor => client.targets.list({ query: from(cursor) }, { signal })))
    yield { kind: "target", record: target };
  for await (const secret of each(cursor => client.secrets.list({ query: from(cursor) }, { signal })))
    yield { kind: "secret", record: secret };
}

async function* clusters(client: Client, signal: AbortSignal): AsyncGenerator<Entry> {
  const list = (cursor: Cursor) => client.clusters.list({ query: { all: "true", ...from(cursor) } }, { signal });
  for await (const cluster of each(list)) {
    yield { kind: "cluster", record: cluster };
    const params = { cluster: cluster.id };
    const hosts = (cursor: Cursor) => client.clusters.hosts({ params, query: from(cursor) }, { signal });
    for await (const host of each(hosts)) yield { kind: "host", record: { clusterId: cluster.id, ...host } };
    const events = (cursor: Cursor) => client.clusters.events({ params, query: from(cursor) }, { signal });
    for await (const event of each(events)) yield { kind: "event", record: event };
  }
}

/** @param array of which the runs are exported; absent: the workspace's jobs, each array followed by its runs */
async function* jobs(client: Client, signal: AbortSignal, array?: string): AsyncGenerator<Entry> {
  const query = (cursor: Cursor) => ({ ...from(cursor), ...(array !== undefined && { array }) });
  for await (const job of each(cursor => client.jobs.list({ query: query(cursor) }, { signal }))) {
    yield { kind: "job", record: job };
    if (job.runs) yield* jobs(client, signal, job.id);
    const params = { job: job.id };
    const events = (cursor: Cursor) => client.jobs.events({ params, query: from(cursor) }, { signal });
    for await (const event of each(events)) yield { kind: "event", record: event };
  }
}

/** Admins alone see tokens; what everybody sees is an export, too. */
async function* tokens(client: Client, signal: AbortSignal): AsyncGenerator<Entry> {
  try {
    for await (const token of each(cursor => client.tokens.list({ query: from(cursor) }, { signal })))
      yield { kind: "token", record: token };
  } catch (error) {
    if (!(error instanceof MusterError && error.code === "forbidden")) throw error;
  }
}
