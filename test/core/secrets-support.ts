/** What tests of secrets share: jobs that have some, and tables that answer as they are told. */
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Table, Write } from "@muster/core/ports/table.ts";
import { find, unwrap } from "@muster/core/secret/secret.ts";
import type { TestHost } from "../support/host.ts";
import { jobRequest } from "../support/requests.ts";
import { ADA, type TestWorld } from "../support/world.ts";

export const SECRETS = { HF_TOKEN: "hunter2", EMPTY: "" };
export const request = (more = {}): Job.Submit => jobRequest({ secrets: SECRETS, ...more });
export const claimed = (key: string) => ({ ...ADA, claim: { key, request: key } });

/** The ids of the jobs whose secrets are kept. */
export const keptFor = (world: TestWorld): string[] =>
  [...world.secrets.held.keys()].map(name => name.split(" ")[1] ?? "");

/** What the doorbell does about everything that was committed so far. */
export async function ring(world: TestWorld): Promise<void> {
  for (const change of world.changes.splice(0)) {
    const rung = ringFor(change);
    if (rung) await answer(world, rung);
  }
}

export async function assigned(host: TestHost | undefined) {
  const [assignment] = (await host?.poll())?.assignments ?? [];
  if (assignment === undefined) throw new Error("the host got nothing to do");
  return assignment;
}

/** The job's record, as other code might have written it. */
export async function rewrite(world: TestWorld, id: string, data: object): Promise<void> {
  const { version, ...item } = (await world.table.get({ pk: `W#acme#J#${id}`, sk: "JOB" }))!;
  await world.table.write([{ put: { ...item, data: { ...item.data, ...data } }, expect: version }]);
}

/** The world, but its next write of several items is told, or refused, so. */
export const writing = (world: TestWorld, write: (real: () => Promise<void>) => Promise<void>): TestWorld => {
  let isNext = true;
  const table = Object.create(world.table) as Table;
  table.write = (writes: readonly Write[]) => {
    const real = () => world.table.write(writes);
    if (!isNext || writes.length < 2) return real();
    isNext = false;
    return write(real);
  };
  table.get = key => world.table.get(key);
  table.query = world.table.query.bind(world.table);
  return { ...world, table };
};
export const lost = () => new MusterError("unavailable", "the table did not answer");

/** The value that a job would get. */
export async function valueIn(world: TestWorld, name: string, workspace = "acme"): Promise<string | undefined> {
  const secret = await find(world.table, workspace, name);
  const held = secret && world.secrets.held.get(`${workspace} ${secret.valueId}`);
  return held && unwrap(held.values);
}
