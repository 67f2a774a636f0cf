/** The first page of a workspace's jobs, among a thousand and among a million: SQLite files on this machine's disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as Id from "@muster/core/id.ts";
import * as Job from "@muster/core/job/job.ts";
import { list } from "@muster/core/job/list.ts";
import { insert } from "@muster/core/record.ts";
import { type LocalTable, openTable } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ADA } from "../support/world.ts";

const folder = mkdtempSync(join(tmpdir(), "muster-pages-"));
const tables: LocalTable[] = [];
afterAll(() => {
  for (const table of tables) table.close();
  rmSync(folder, { recursive: true });
});

const clock = { now: () => Date.UTC(2026, 0, 1) };
const cluster = "clu_01J00000000000000000000000";

const ended = (id: string): Job.Job => ({
  id,
  workspace: ADA.workspace,
  clusterId: cluster,
  clusterName: "ed",
  owner: ADA.id,
  priority: 500,
  nodes: 1,
  down: false,
  attempts: 1,
  createdAt: clock.now(),
  changedAt: clock.now(),
  state: "succeeded",
  endedAt: clock.now(),
  logsComplete: true,
});

/** A table with so many jobs: the first written as any is, the others as copies of its row with ids of their own. */
async function tableOf(count: number): Promise<LocalTable> {
  const path = join(folder, `${count}.db`);
  const table = openTable({ path, digest: createDigest("a key for tests, 32 bytes or more"), now: clock.now });
  tables.push(table);
  const first = Id.create(createRandom(clock), "job");
  await table.write([insert(Job.noun, ended(first))]);
  const database = new DatabaseSync(path);
  const id = `'${first.slice(0, -7)}' || printf('%07d', n)`;
  const own = (column: string) => `replace(${column}, '${first}', ${id})`;
  database.exec(`PRAGMA synchronous = OFF;
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1})
    INSERT INTO items (pk, sk, version, type, data, list_pk, list_sk, link_pk, link_sk)
    SELECT ${own("pk")}, sk, version, type, ${own("data")}, list_pk, ${own("list_sk")}, link_pk, ${own("link_sk")}
    FROM items, numbers WHERE list_sk = '${first}'`);
  database.close();
  return table;
}

const THOUSAND = 1000;
const MILLION = 1_000_000;
let small: LocalTable;
let large: LocalTable;
beforeAll(async () => {
  small = await tableOf(THOUSAND);
  large = await tableOf(MILLION);
}, 300_000);

const countOf = (count: number): number =>
  Number(new DatabaseSync(join(folder, `${count}.db`)).prepare("SELECT count(*) AS n FROM items").get()?.n);

/** How long a page takes, in ms, in each of the two: by turns, so that what else the machine does meets both. */
async function timed(request: Omit<Parameters<typeof list>[2], "limit">): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 300; turn++)
    for (const [index, table] of [small, large].entries()) {
      const start = performance.now();
      const page = await list({ table }, ADA, { ...request, limit: 100 });
      times[index]?.push(performance.now() - start);
      expect(page.items).toHaveLength(100);
    }
  const [less, more] = times.map(some => some.toSorted((a, b) => a - b)[some.length >> 1] ?? Number.NaN);
  return [less ?? Number.NaN, more ?? Number.NaN];
}

test("there are as many as it says", () => {
  expect([countOf(THOUSAND), countOf(MILLION)]).toEqual([THOUSAND, MILLION]);
});

test("the first page of a million jobs takes the time of the first page of a thousand", async () => {
  const [less, more] = await timed({ active: false });
  expect(more / less).toBeLessThanOrEqual(1.2);
});
