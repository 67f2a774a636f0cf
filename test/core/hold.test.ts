/** Jobs that are held back and let go, through the real verbs, on SQLite in memory. */
import { cancel } from "@muster/core/job/cancel.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { code, jobRequest, passing, readyCluster } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, BEN, testWorld } from "../support/world.ts";

const held = jobRequest({}, { hold: true });

test("a job that is submitted on hold begins when it is released, and not before", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const { id, state } = await submit(world, ADA, "demo", held);
  expect(state).toBe("waiting");
  await ringAll(world);
  await passing(world, 2);
  expect((await host?.poll())?.assignments).toEqual([]);
  expect(await release(world, ADA, id)).toMatchObject({ state: "queued" });
  expect(await release(world, ADA, id)).toMatchObject({ state: "queued" });
  expect((await host?.poll())?.assignments).toMatchObject([{ jobId: id }]);
  const { items } = await Read.events(world, ADA, id, { limit: 10 });
  expect(items.map(({ kind, actor, message }) => [kind, actor, message])).toEqual([
    ["job.waiting", "usr_ada", undefined],
    ["job.queued", "usr_ada", "released"],
    ["job.starting", "system", undefined],
  ]);
});

test("a queued job that is held leaves the queue to those behind it", async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world);
  const [host] = hosts;
  await submit(world, ADA, "demo", jobRequest());
  const [busy] = (await host?.poll())?.assignments ?? [];
  const one = await submit(world, ADA, "demo", jobRequest());
  const two = await submit(world, ADA, "demo", jobRequest());
  expect(await hold(world, ADA, one.id)).toMatchObject({ state: "waiting", held: true });
  expect(await hold(world, ADA, one.id)).toMatchObject({ state: "waiting", held: true });
  const queue = await world.table.query({ pk: `W#acme#C#${clusterId}`, prefix: "Q#" });
  expect(queue.items.map(item => item.data.jobId)).toEqual([two.id]);
  if (busy) await host?.run(busy, 0);
  const [next] = (await host?.poll())?.assignments ?? [];
  expect(next?.jobId).toBe(two.id);
  if (next) await host?.run(next, 0);
  expect((await host?.poll())?.assignments).toEqual([]);
  await release(world, ADA, one.id);
  expect((await host?.poll())?.assignments).toMatchObject([{ jobId: one.id }]);
});

test("one that waits for another can be held as well, and then waits for both", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const one = await submit(world, ADA, "demo", jobRequest());
  const two = await submit(world, ADA, "demo", jobRequest({}, { after: [{ job: one.id, on: "success" }] }));
  await hold(world, ADA, two.id);
  const [first] = (await host?.poll())?.assignments ?? [];
  if (first) await host?.run(first, 0);
  await ringAll(world);
  expect(await Read.get(world, ADA, two.id)).toMatchObject({ state: "waiting", held: true });
  await release(world, ADA, two.id);
  expect((await host?.poll())?.assignments).toMatchObject([{ jobId: two.id }]);
});

test("a release that comes before the other's end changes nothing but the hold", async () => {
  const world = testWorld();
  await readyCluster(world);
  const one = await submit(world, ADA, "demo", jobRequest());
  const after = [{ job: one.id, on: "end" as const }];
  const two = await submit(world, ADA, "demo", jobRequest({}, { after, hold: true }));
  expect(await release(world, ADA, two.id)).toMatchObject({ state: "waiting", after });
  await ringAll(world);
  expect((await Read.get(world, ADA, two.id)).state).toBe("waiting");
});

test("one that has begun, or has ended, cannot be held; and another's is not to be touched", async () => {
  const world = testWorld();
  const [host] = (await readyCluster(world)).hosts;
  const { id } = await submit(world, ADA, "demo", jobRequest());
  expect([await code(hold(world, BEN, id)), await code(release(world, BEN, id))]).toEqual(["forbidden", "forbidden"]);
  const [assignment] = (await host?.poll())?.assignments ?? [];
  expect(await hold(world, ADA, id).catch(error => error)).toMatchObject({
    code: "conflict",
    details: { hint: `end it: muster cancel ${id}` },
  });
  if (assignment) await host?.run(assignment, 0);
  expect(await hold(world, ADA, id).catch(error => error)).toMatchObject({
    code: "conflict",
    message: `job ${id} has ended`,
  });
  expect(await release(world, ADA, id)).toMatchObject({ state: "succeeded" });
});

test("one that is held is cancelled at once", async () => {
  const world = testWorld();
  const { id: clusterId } = await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", held);
  expect(await cancel(world, ADA, id)).toMatchObject({ state: "cancelled" });
  const left = await world.table.query({ pk: `W#acme#C#${clusterId}`, prefix: "WAIT#" });
  expect(left.items).toEqual([]);
});

test("a hold and a placement at the same time: one of them wins, and the job is in one place", async () => {
  for (let refused = 0; refused < 3; refused++) {
    const world = testWorld();
    const { id: clusterId, hosts } = await readyCluster(world);
    const { id } = await submit(world, ADA, "demo", jobRequest());
    world.refuse(refused);
    const [, orders] = await Promise.allSettled([hold(world, ADA, id), hosts[0]?.poll()]);
    const { state } = await Read.get(world, ADA, id);
    const queue = await world.table.query({ pk: `W#acme#C#${clusterId}`, prefix: "Q#" });
    const waiting = await world.table.query({ pk: `W#acme#C#${clusterId}`, prefix: "WAIT#" });
    const placed = orders?.status === "fulfilled" ? (orders.value?.assignments.length ?? 0) : 0;
    expect(queue.items.length + waiting.items.length + (state === "starting" ? 1 : 0)).toBe(1);
    if (placed > 0) expect(state).toBe("starting");
  }
});

test("it comes back with the time in the queue that it had left", async () => {
  const world = testWorld();
  await readyCluster(world, { idle: "never" });
  await submit(world, ADA, "demo", jobRequest());
  const { id } = await submit(world, ADA, "demo", jobRequest({ queueTimeout: 600 }));
  world.clock.pass(240_000);
  expect((await hold(world, ADA, id)).startBy).toBeUndefined();
  world.clock.pass(7_200_000);
  expect((await release(world, ADA, id)).startBy).toBe(world.clock.now() + 360_000);
});

test("many runs of one task cannot be held", async () => {
  const world = testWorld();
  await readyCluster(world);
  const { id } = await submit(world, ADA, "demo", jobRequest({ runs: { count: 2 } }));
  expect(await code(hold(world, ADA, id))).toBe("conflict");
});
