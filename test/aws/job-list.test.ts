/**
 * What the first page of a workspace's jobs reads on DynamoDB, whatever else there is. Ran against: moto's DynamoDB, which
 * counts reads; it does not tell what AWS would charge, but how often it is called, and how many items it gives.
 */
import type { Called } from "@muster/aws/call/aws.ts";
import { openTable } from "@muster/aws/table/table.ts";
import * as Id from "@muster/core/id.ts";
import * as Job from "@muster/core/job/job.ts";
import { list } from "@muster/core/job/list.ts";
import type { Table, Write } from "@muster/core/ports/table.ts";
import { insert } from "@muster/core/record.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digest } from "../contract/table-subject.ts";
import { ADA } from "../support/world.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt, makeTable } from "./table-support.ts";

const FEW = 100;
const MANY = 5_000;
const START = Date.UTC(2026, 0, 1);

const calls: Called[] = [];
let moto: Moto;
let table: Table;

beforeAll(async () => {
  moto = await startMoto();
  await makeTable(moto.url, "muster");
  table = openTable({ aws: awsAt(moto.url, call => void calls.push(call)), name: "muster", digest });
});
afterAll(() => moto.close());

/** A job of the workspace, that is over. */
function jobOf(index: number): Write {
  const id = `job_${Id.ulids(
    () => START + index,
    () => 0.5,
  )()}`;
  const base = {
    id,
    workspace: "acme",
    clusterId: "clu_00000000000000000000000000",
    clusterName: "demo",
    owner: ADA.id,
  };
  const at = START + index;
  const times = { createdAt: at, changedAt: at };
  return insert(Job.noun, {
    ...{ ...base, ...times, priority: 500, nodes: 1, down: false, attempts: 1 },
    ...{ state: "succeeded", endedAt: at, logsComplete: true, exitCode: 0 },
  });
}

async function fill(from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 100)
    await table.write(Array.from({ length: Math.min(100, to - index) }, (_, more) => jobOf(index + more)));
}

/** Each call of a page: what it was, and what it read. */
async function read(request: Partial<Parameters<typeof list>[2]> = {}) {
  calls.splice(0);
  const { items } = await list({ table }, ADA, { limit: 100, ...request });
  return {
    calls: calls.map(({ operation, readUnits }) => ({ operation, readUnits })),
    items: items.length,
    first: items[0]?.createdAt,
  };
}

test("the first page of jobs is one call and as many reads, of a hundred jobs and of thousands", async () => {
  await fill(0, FEW);
  const few = await read();
  await fill(FEW, MANY);
  const many = await read();
  expect(few.calls).toEqual([{ operation: "Query", readUnits: expect.any(Number) }]);
  expect(many.calls).toEqual(few.calls);
  expect([few.items, many.items]).toEqual([FEW, 100]);
  expect([few.first, many.first]).toEqual([START + FEW - 1, START + MANY - 1]);
});

test("a page that a filter leaves empty looks at a bounded number of them, and says where to go on", async () => {
  const { calls: made, items } = await read({ state: "failed" });
  expect(items).toBe(0);
  expect(made.length).toBeLessThanOrEqual(11);
});
