import { cancel } from "@muster/core/job/cancel.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { wake } from "@muster/core/job/waiting.ts";
import { why } from "@muster/core/job/why.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { code, jobRequest, launchRequest, passing, readyCluster } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { first, following, get, runNext } from "./after-support.ts";

const nexts = async (world: TestWorld, id: string) =>
  (await world.table.query({ pk: `W#acme#J#${id}`, prefix: "NEXT#" })).items.length;

describe.each([
  ["once", 1],
  ["twice", 2],
])("when each ring comes %s", (_, times) => {
  test("a job begins when the one it waits for has succeeded, and not before", async () => {
    const world = testWorld();
    const [host] = (await readyCluster(world)).hosts;
    const one = await first(world);
    const two = await following(world, one);
    expect(two).toMatchObject({ state: "waiting", after: [{ job: one.id, on: "success" }] });
    await ringAll(world, times);
    expect(await runNext(host)).toBe(one.id);
    expect((await host?.poll())?.assignments).toEqual([]);
    await ringAll(world, times);
    expect(await nexts(world, one.id)).toBe(0);
    expect(await runNext(host)).toBe(two.id);
    const { items } = await Read.events(world, ADA, two.id, { limit: 100 });
    expect(items.map(event => event.kind)).toEqual([
      "job.waiting",
      "job.queued",
      "job.starting",
      "job.running",
      "job.succeeded",
    ]);
  });

  test("what waits for a success fails with the one it waits for, and so does what waits for it in turn", async () => {
    const world = testWorld();
    const [host] = (await readyCluster(world)).hosts;
    const one = await first(world);
    const two = await following(world, one);
    const three = await following(world, two);
    const whatever = await following(world, one, {}, "end");
    await runNext(host, 3);
    await ringAll(world, times);
    expect(await get(world, two)).toMatchObject({
      state: "failed",
      failure: { code: "dependency_failed", message: `it waited for the success of ${one.id}, which failed` },
    });
    expect(await get(world, three)).toMatchObject({ state: "failed", failure: { code: "dependency_failed" } });
    expect(await runNext(host)).toBe(whatever.id);
  });
});

test("when all rings are lost each is found when it is due", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world, { idle: "never" })).hosts;
  const one = await first(world);
  const two = await following(world, one);
  await runNext(host);
  await ringAll(world, 0);
  await passing(world, 59, async () => void (await host?.poll()));
  expect((await get(world, two)).state).toBe("waiting");
  await passing(world, 2, async () => void (await host?.poll()));
  expect(await get(world, two)).not.toMatchObject({ state: "waiting" });
});

test("why it waits is told, and for whom", async () => {
  const world = testWorld();
  await readyCluster(world);
  const [one, two] = [await first(world), await first(world)];
  const more = {
    hold: true,
    after: [
      { job: one.id, on: "success" as const },
      { job: two.id, on: "end" as const },
    ],
  };
  const { id } = await submit(world, ADA, "demo", jobRequest({}, more));
  expect((await why(world, ADA, id)).reasons).toEqual([
    "it is held back by usr_ada, until somebody releases it",
    `it waits for ${one.id}, which is queued, to succeed and ${two.id}, which is queued, to end`,
  ]);
});

test("many runs of one task are waited for as one", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const array = await submit(world, ADA, "demo", jobRequest({ runs: { count: 2, concurrent: 1 } }));
  const last = await following(world, array);
  await runNext(host);
  await ringAll(world);
  expect(await get(world, last)).toMatchObject({ state: "waiting" });
  await runNext(host);
  await ringAll(world);
  expect(await runNext(host)).toBe(last.id);
});

test("what has ended as it should is not waited for, and what has not ends the job at once", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const good = await first(world);
  await runNext(host);
  const bad = await first(world);
  await runNext(host, 1);
  expect(await following(world, good)).toMatchObject({ state: "queued" });
  expect(await following(world, bad, {}, "end")).toMatchObject({ state: "queued" });
  const vain = await following(world, bad);
  await ringAll(world);
  expect(await get(world, vain)).toMatchObject({ state: "failed", failure: { code: "dependency_failed" } });
  const unheard = await following(world, bad);
  await ringAll(world, 0);
  await passing(world, 1);
  expect(await get(world, unheard)).toMatchObject({ state: "failed" });
});

test("a job waits for all that it names, of whatever cluster", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, { nodes: 2 });
  const [one, two] = [await first(world), await first(world)];
  const last = await submit(
    world,
    ADA,
    "demo",
    jobRequest(
      {},
      {
        after: [
          { job: one.id, on: "success" },
          { job: two.id, on: "end" },
        ],
      },
    ),
  );
  await runNext(hosts[0]);
  await ringAll(world);
  expect(await get(world, last)).toMatchObject({ state: "waiting", after: [{ job: two.id, on: "end" }] });
  await runNext(hosts[1], 1);
  await ringAll(world);
  expect((await get(world, last)).state).not.toBe("waiting");
});

describe("what cannot be", () => {
  test("a job that is not there is named with its place, and so is another workspace's", async () => {
    const world = testWorld();
    await readyCluster(world);
    const one = await first(world);
    const none = await following(world, { id: "job_00000000000000000000000000" }).catch(error => error);
    expect(none).toMatchObject({
      code: "not_found",
      details: { issues: [{ path: "after.0.job", message: "there is no job 'job_00000000000000000000000000'" }] },
    });
    const elsewhere = launch(world, EVE, { ...launchRequest, after: [{ job: one.id, on: "success" }] });
    expect(await code(elsewhere)).toBe("not_found");
  });

  test("one that is named twice, and one that waits and forces", async () => {
    const world = testWorld();
    await readyCluster(world);
    const one = await first(world);
    const both = [
      { job: one.id, on: "success" },
      { job: one.id, on: "end" },
    ];
    expect(await submit(world, ADA, "demo", jobRequest({}, { after: both })).catch(error => error)).toMatchObject({
      code: "invalid_request",
      details: { issues: [{ path: "after.1.job" }] },
    });
    expect(await code(following(world, one, { force: true }))).toBe("invalid_request");
  });
});

test("one that ends between being looked at and being waited for wakes nobody in vain", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const one = await first(world);
  // It ends while the submit is about to write.
  let isNext = true;
  const table = Object.create(world.table) as Table;
  table.get = key => world.table.get(key);
  table.query = world.table.query.bind(world.table);
  table.write = async writes => {
    if (isNext && writes.length > 3) {
      isNext = false;
      await runNext(host);
    }
    return world.table.write(writes);
  };
  const two = await following({ ...world, table }, one);
  expect([isNext, two.state]).toEqual([false, "queued"]);
});

test("one that waits is cancelled at once, and wakes those that wait for it", async () => {
  const world = testWorld();
  await readyCluster(world);
  const one = await first(world);
  const two = await following(world, one);
  const three = await following(world, two);
  expect(await cancel(world, ADA, two.id)).toMatchObject({ state: "cancelled" });
  await ringAll(world);
  expect(await get(world, three)).toMatchObject({
    failure: { message: `it waited for the success of ${two.id}, which was cancelled` },
  });
});

test("its time in the queue begins when it is released", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const one = await first(world);
  const two = await submit(
    world,
    ADA,
    "demo",
    jobRequest({ queueTimeout: 60 }, { after: [{ job: one.id, on: "end" }] }),
  );
  expect(two.startBy).toBeUndefined();
  await runNext(host);
  world.clock.pass(600_000);
  await wake(world, { workspace: "acme", jobId: one.id });
  expect(await get(world, two)).toMatchObject({ state: "queued", startBy: world.clock.now() + 60_000 });
});

test("hundreds that wait for one are all released, page by page, and whoever is stopped halfway can be followed", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world);
  const one = await first(world);
  for (let count = 0; count < 250; count++) await following(world, one);
  await runNext(hosts[0]);
  let left = 400;
  const table = Object.create(world.table) as Table;
  table.query = world.table.query.bind(world.table);
  table.get = key => world.table.get(key);
  table.write = async writes => {
    if (left-- <= 0) throw new Error("the process was killed");
    return world.table.write(writes);
  };
  await expect(wake({ ...world, table }, { workspace: "acme", jobId: one.id })).rejects.toThrow("killed");
  const halfway = await nexts(world, one.id);
  expect(halfway).toBeGreaterThan(0);
  expect(halfway).toBeLessThan(250);
  await wake(world, { workspace: "acme", jobId: one.id });
  expect(await nexts(world, one.id)).toBe(0);
  const pk = `W#acme#C#${id}`;
  const queue = await world.table.query({ pk, prefix: "Q#", limit: 1000 });
  const waiting = await world.table.query({ pk, prefix: "WAIT#", limit: 1000 });
  expect([queue.items.length, waiting.items.length]).toEqual([250, 0]);
});
