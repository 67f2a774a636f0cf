/** What arrays cost, as counts; on SQLite, with DynamoDB's rules of charging (see support/units.ts). */
import { cancel } from "@muster/core/array/control.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import type { Runs } from "@muster/core/task/sweep.ts";
import { expect, test } from "vitest";
import { readyCluster, ref } from "../../support/requests.ts";
import { counted } from "../../support/units.ts";
import { ADA, testWorld } from "../../support/world.ts";
import { arrayOf, arrayRequest, heldBy } from "./support.ts";

async function countedCluster() {
  const plain = testWorld();
  const { table, units } = counted(plain.table);
  const world = { ...plain, table };
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const spent = async (run: () => Promise<unknown>): Promise<number> => {
    const before = units.writes;
    await run();
    return units.writes - before;
  };
  return { world, id, host: hosts[0], spent };
}

type Counted = Awaited<ReturnType<typeof countedCluster>>;

/** Of the next job or run: its start, and its end. */
async function costs({ world, id, host, spent }: Counted): Promise<{ start: number; end: number }> {
  const start = await spent(() => schedule(world, ref(id)));
  const [held] = await heldBy(world, id, 0);
  if (host === undefined || held === undefined) throw new Error("nothing was placed");
  const { jobId, fence } = held;
  await host.report({ jobId, fence, state: "running" });
  const cause = { cause: "exited", exitCode: 0, chunks: 0, logsComplete: true } as const;
  const end = await spent(() => host.report({ jobId, fence, state: "exited", ...cause }));
  return { start, end };
}

async function costsOf(runs: Runs | undefined) {
  const cluster = await countedCluster();
  const { world, id } = cluster;
  const array = await submit(world, ADA, id, arrayRequest(runs));
  const each = [];
  for (let index = 0; index < (runs?.count ?? 1); index++) each.push(await costs(cluster));
  if (runs) expect((await arrayOf(world, array.id)).state).toBe("succeeded");
  return each;
}

test("an array costs as much to submit as one job, whether it has one run or a hundred thousand", async () => {
  const { world, id, spent } = await countedCluster();
  const one = await spent(() => submit(world, ADA, id, arrayRequest(undefined)));
  const few = await spent(() => submit(world, ADA, id, arrayRequest({ count: 1 })));
  const many = await spent(() => submit(world, ADA, id, arrayRequest({ count: 100_000 })));
  expect([one, few, many]).toEqual([9, 9, 9]);
});

test("a run costs 1 write unit more than a job to start, and 4 more to end: its array counts it, in three indexes", async () => {
  const [job] = await costsOf(undefined);
  expect(job).toEqual({ start: 14, end: 13 });
  const runs = await costsOf({ count: 4 });
  // The first moves the array to running, the last takes it out of the queue, and ends it.
  expect(runs.map(({ start }) => start)).toEqual([17, 15, 15, 17]);
  expect(runs.map(({ end }) => end)).toEqual([17, 17, 17, 19]);
});

test("where only so many run at a time, a start takes the array out of the queue, and an end puts it back", async () => {
  const runs = await costsOf({ count: 3, concurrent: 1 });
  expect(runs).toEqual([
    { start: 19, end: 19 },
    { start: 17, end: 19 },
    { start: 17, end: 19 },
  ]);
});

test("a cancelled array costs the same however many runs have not begun", async () => {
  const { world, id, spent } = await countedCluster();
  const found = [];
  for (const count of [2, 100_000]) {
    const array = await submit(world, ADA, id, arrayRequest({ count }));
    found.push(await spent(() => cancel(world, ADA, array.id)));
  }
  expect(found).toEqual([9, 9]);
});
