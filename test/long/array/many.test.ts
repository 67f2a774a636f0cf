/**
 * Thousands of runs of one array through four hosts: the verbs of core on SQLite, with hosts that are calls in this process and
 * start nothing. Five hundred more are real: a real control plane, real agents, and a process for each.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { list } from "@muster/core/job/list.ts";
import { submit } from "@muster/core/job/submit.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { arrayOf, arrayRequest, isSound } from "../../core/array/support.ts";
import type { TestHost } from "../../support/host.ts";
import { openPlane } from "../../support/plane.ts";
import { readyCluster } from "../../support/requests.ts";
import { until } from "../../support/until.ts";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";

/** Ten thousand by hand: `MUSTER_TEST_RUNS=10000`. */
const MANY = Number(process.env.MUSTER_TEST_RUNS ?? 2_500);
/** Runs between two looks at the heap. */
const STEP = MANY / 5;
/** Of so many runs one fails. */
const TENTH = MANY / 10;
const REAL = 500;
const MB = 2 ** 20;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
/** Bytes that are still used when all that nobody needs is gone. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Runs everything that the hosts are given, until all of the array has ended. @returns how often each index began, and the heap */
async function runAll(world: TestWorld, hosts: readonly TestHost[], id: string) {
  const begun = new Uint8Array(MANY);
  const seen: number[] = [];
  const run = async (host: TestHost): Promise<number> => {
    const { assignments } = await host.poll();
    for (const { jobId, fence } of assignments) {
      const index = Number(jobId.slice(id.length + 1));
      begun[index] = (begun[index] ?? 0) + 1;
      await host.run({ jobId, fence }, index % TENTH === TENTH - 1 ? 1 : 0);
    }
    return assignments.length;
  };
  for (let ended = 0; ended < MANY; ) {
    const before = ended;
    for (const host of hosts) ended += await run(host);
    if (Math.floor(ended / STEP) > Math.floor(before / STEP)) seen.push(heap());
    // What was committed is for tests to look at; nobody does here.
    world.changes.length = 0;
    expect(ended, "nothing runs any more").toBeGreaterThan(before);
  }
  return { begun, seen };
}

async function listed(world: TestWorld, array: string): Promise<(number | undefined)[]> {
  const indices: (number | undefined)[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await list(world, ADA, { array, limit: 100, ...(cursor !== undefined && { cursor }) });
    indices.push(...page.items.map(run => run.array?.index));
    cursor = page.cursor;
    if (cursor === undefined) return indices;
  }
}

test(`${MANY} runs on four hosts: each begins once, all are counted, and memory does not grow with them`, async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world, { nodes: 4, idle: "never" });
  const { id } = await submit(world, ADA, clusterId, arrayRequest({ count: MANY, concurrent: 3 }));
  const { begun, seen } = await runAll(world, hosts, id);
  expect(begun.every(times => times === 1)).toBe(true);
  const array = await arrayOf(world, id);
  expect(isSound(array)).toBe(true);
  expect(array).toMatchObject({ state: "failed", started: MANY, running: 0, succeeded: MANY - 10, failed: 10 });
  expect(seen).toHaveLength(5);
  expect(Math.max(...seen) - Math.min(...seen)).toBeLessThan(20 * MB);
  expect(await listed(world, id)).toEqual([...Array(MANY).keys()]);
});

test("500 real runs on four real hosts: a process for each, and each once", async () => {
  const plane = await openPlane();
  try {
    await plane.api.clusters.create({ body: { name: "four", nodes: 4 } });
    const folder = join(plane.home, "ran");
    mkdirSync(folder);
    // A second process of the same index finds the folder there, and fails.
    const task = Task.parse({ run: `mkdir ${folder}/$MUSTER_RUN_INDEX`, runs: { count: REAL } });
    const array = await plane.api.jobs.submit({ params: { cluster: "four" }, body: { task } });
    const last = await until(
      "all runs to end",
      async () => {
        const now = await plane.api.jobs.get({ params: { job: array.id } });
        return now.done ? now : undefined;
      },
      500_000,
    );
    expect(last).toMatchObject({ state: "succeeded", runs: { started: REAL, succeeded: REAL, running: 0 } });
    const found = readdirSync(folder).map(Number);
    expect(found.toSorted((a, b) => a - b)).toEqual([...Array(REAL).keys()]);
  } finally {
    await plane.close();
  }
});
