/**
 * Many schedulers, hosts and people at once on one array: the order in which their reads and writes reach the table (SQLite in
 * memory) is drawn, and the store refuses one write in ten. A thousand orders.
 */
import { type JobArray, noun } from "@muster/core/array/array.ts";
import { cancel } from "@muster/core/array/control.ts";
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { isRetryable } from "@muster/core/error.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { arrayOf, arrayRequest, heldBy, isSound, runAll } from "../../core/array/support.ts";
import type { TestHost } from "../../support/host.ts";
import { readyCluster, ref } from "../../support/requests.ts";
import { turns } from "../../support/turns.ts";
import { ADA, testWorld } from "../../support/world.ts";

/** Mulberry32: the same numbers for the same seed. */
function numbers(seed: number): () => number {
  const state = { at: seed };
  return () => {
    state.at = (state.at + 0x6d2b79f5) | 0;
    const first = Math.imul(state.at ^ (state.at >>> 15), 1 | state.at);
    const second = (first + Math.imul(first ^ (first >>> 7), 61 | first)) ^ first;
    return ((second ^ (second >>> 14)) >>> 0) / 4294967296;
  };
}

/** What a caller bears: the store that refuses, and a race that is lost too often. Whoever called calls again. */
async function bearing(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof WriteConflict) && !isRetryable(error)) throw error;
  }
}

interface Case {
  readonly seed: number;
  readonly count: number;
  readonly concurrent: number | undefined;
  readonly hosts: number;
  readonly end: "none" | "one" | "all";
  readonly retries: boolean;
}

async function play({ seed, count, concurrent, hosts: nodes, end, retries }: Case): Promise<void> {
  const plain = testWorld();
  const next = numbers(seed);
  const { table, run } = turns(plain.table, next, 0.1);
  const world = { ...plain, table };
  const { id: clusterId, hosts } = await readyCluster(world, { nodes, idle: "never" });
  const retry = { max: 1, on: ["exit_code" as const], backoff: 0 };
  const runs = { count, ...(concurrent !== undefined && { concurrent }) };
  const { id } = await submit(world, ADA, clusterId, arrayRequest(runs, retries ? { retry } : {}));
  const exitCode = () => (next() < 0.2 ? 1 : 0);
  const host = (one: TestHost, rank: number) => async () => {
    for (let round = 0; round < count; round++) {
      await bearing(() => one.poll());
      for (const { jobId, fence } of await heldBy(plain, clusterId, rank))
        await bearing(() => one.run({ jobId, fence }, exitCode()));
    }
  };
  const scheduler = async () => {
    for (let round = 0; round < 4; round++) await bearing(() => schedule(world, ref(clusterId)));
  };
  const index = Math.floor(next() * count);
  const person = async () => {
    const which = end === "one" ? `${id}.${index}` : id;
    if (end !== "none") await bearing(() => cancel(world, ADA, which));
  };
  await run([...hosts.map(host), scheduler, scheduler, person]);
  // What is left is done in peace: the doorbell, time, and hosts that go on.
  for (let round = 0; round < 8; round++) {
    for (const change of plain.changes.slice(-200)) {
      const ring = ringFor(change);
      if (ring && ring.do !== "kick") await bearing(() => answer(world, ring));
    }
    plain.clock.pass(61_000);
    await runAll(world, clusterId, hosts);
  }
  check(plain.changes, await arrayOf(world, id), count, concurrent);
}

type Changes = ReturnType<typeof testWorld>["changes"];

function check(changes: Changes, array: JobArray, count: number, concurrent: number | undefined): void {
  const items = changes.flatMap(change => ("item" in change ? [change.item] : []));
  const states = items.filter(item => item.type === "array").map(item => noun.schema.parse(item.data));
  // After every commit, not only in the end.
  for (const state of states) {
    expect(isSound(state), JSON.stringify(state)).toBe(true);
    if (concurrent !== undefined) expect(state.running).toBeLessThanOrEqual(concurrent);
  }
  const jobs = Map.groupBy(
    items.filter(item => item.type === "job"),
    item => String(item.data.id),
  );
  const begun = [...jobs.values()].map(versions =>
    versions.filter(item => item.data.state === "starting" && item.version === 1),
  );
  // Each run began once: it was made once, and placed when it was made.
  for (const [job, versions] of jobs)
    expect(
      versions.filter(item => item.version === 1),
      job,
    ).toHaveLength(1);
  expect(array).toMatchObject({ running: 0, started: begun.filter(one => one.length === 1).length });
  expect(array.succeeded + array.failed + array.cancelled + array.timedOut).toBe(count);
  expect(["succeeded", "failed", "cancelled"]).toContain(array.state);
  const ends = Map.groupBy(
    [...jobs.values()].map(versions => versions.at(-1)?.data.state),
    state => state,
  );
  expect(ends.get("succeeded")?.length ?? 0).toBe(array.succeeded);
  expect(ends.get("failed")?.length ?? 0).toBe(array.failed);
}

/** A thousand by hand: `MUSTER_TEST_RUNS=1000`. */
const RUNS = Number(process.env.MUSTER_TEST_RUNS ?? 300);

test("whatever the order, each run begins once, never too many at a time, and all are counted", async () => {
  const cases = fc.record({
    seed: fc.nat(),
    count: fc.integer({ min: 1, max: 8 }),
    concurrent: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    hosts: fc.integer({ min: 1, max: 4 }),
    end: fc.constantFrom("none" as const, "none" as const, "one" as const, "all" as const),
    retries: fc.boolean(),
  });
  await fc.assert(fc.asyncProperty(cases, play), { numRuns: RUNS });
}, 600_000);
