/** Arrays through the real verbs, on SQLite in memory; their hosts are made up. */
import { cancel } from "@muster/core/array/control.ts";
import * as Change from "@muster/core/cluster/change.ts";
import { list } from "@muster/core/job/list.ts";
import * as Read from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { expect, test } from "vitest";
import { code, passing, readyCluster, ref } from "../../support/requests.ts";
import { ADA, BEN, EVE, testWorld } from "../../support/world.ts";
import { arrayOf, arrayRequest, heldBy, infoOf, isSound, runAll, withArray } from "./support.ts";

const queueOf = async (world: ReturnType<typeof testWorld>, clusterId: string) =>
  (await world.table.query({ pk: Keys.cluster("acme", clusterId).pk, prefix: "Q#" })).items;

test("each run starts once, in the order of their indices, and the array succeeds with the last", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 5 }, 2);
  const ran = await runAll(world, clusterId, hosts);
  expect(ran.toSorted()).toEqual([0, 1, 2, 3, 4].map(index => `${id}.${index}`));
  expect(await infoOf(world, id)).toMatchObject({
    state: "succeeded",
    done: true,
    exitCode: 0,
    runs: { count: 5, started: 5, running: 0, succeeded: 5, failed: 0, cancelled: 0, timedOut: 0 },
  });
  expect(await queueOf(world, clusterId)).toEqual([]);
});

test("a run that has not begun is found by its id, and takes nothing", async () => {
  const { world, id } = await withArray({ count: 10_000 });
  expect(await infoOf(world, `${id}.9999`)).toMatchObject({ state: "queued", array: { id, index: 9999 } });
  expect(await code(infoOf(world, `${id}.10000`))).toBe("not_found");
  expect(await world.table.get(Keys.job("acme", `${id}.9999`))).toBeUndefined();
  expect(await code(Read.get(world, EVE, `${id}.3`))).toBe("not_found");
});

test("no more run at a time than `concurrent` says, and its place in the queue comes and goes", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 4, concurrent: 2 }, 4);
  for (const host of hosts) await host.poll();
  expect((await arrayOf(world, id)).running).toBe(2);
  expect(await queueOf(world, clusterId)).toEqual([]);
  const [held] = await heldBy(world, clusterId, 0);
  await hosts[0]?.run(held as { jobId: string; fence: number }, 0);
  expect(await queueOf(world, clusterId)).toHaveLength(1);
  await runAll(world, clusterId, hosts);
  expect((await arrayOf(world, id)).succeeded).toBe(4);
});

test("what is queued behind an array waits for its runs, and what has a higher priority does not", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 3 });
  const late = await submit(world, ADA, clusterId, arrayRequest(undefined));
  const urgent = await submit(world, ADA, clusterId, arrayRequest(undefined, {}, { priority: 900 }));
  expect(await runAll(world, clusterId, hosts)).toEqual([urgent.id, `${id}.0`, `${id}.1`, `${id}.2`, late.id]);
});

test("the array fails when all have ended and some failed; it keeps the first cause, its code and how many", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 4 });
  await runAll(world, clusterId, hosts, jobId => [0, 7, 0, 9][Number(jobId.at(-1))] ?? 0);
  expect(await infoOf(world, id)).toMatchObject({
    state: "failed",
    exitCode: 7,
    failure: {
      code: "exit_code",
      message: "2 of 4 runs did not end well. The first, run 1: the script exited with 7 on rank 0",
    },
    runs: { succeeded: 2, failed: 2 },
  });
});

test("a cancelled array ends what has not begun at once, and tells what runs", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 10_000 }, 2);
  for (const host of hosts) await host.poll();
  expect(await cancel(world, ADA, id)).toMatchObject({ state: "cancelling", runs: { running: 2, cancelled: 9_998 } });
  expect(await queueOf(world, clusterId)).toEqual([]);
  await passing(world, 2);
  for (const index of [0, 1]) expect((await infoOf(world, `${id}.${index}`)).state).toBe("cancelling");
  expect((await infoOf(world, `${id}.500`)).state).toBe("cancelled");
  for (const [rank, host] of hosts.entries()) {
    const [held] = await heldBy(world, clusterId, rank);
    await host.run(held as { jobId: string; fence: number }, 143);
  }
  expect(await infoOf(world, id)).toMatchObject({ state: "cancelled", runs: { running: 0, cancelled: 10_000 } });
  // Once more is the same.
  expect((await cancel(world, ADA, id)).state).toBe("cancelled");
});

test("an array of which none runs is cancelled at once, by its owner alone", async () => {
  const world = testWorld();
  const { id: clusterId } = await readyCluster(world, { shared: true });
  await submit(world, ADA, clusterId, arrayRequest({ count: 1 }));
  const { id } = await submit(world, ADA, clusterId, arrayRequest({ count: 3 }));
  expect(await code(cancel(world, BEN, id))).toBe("forbidden");
  expect(await code(cancel(world, BEN, `${id}.1`))).toBe("forbidden");
  expect(await code(cancel(world, EVE, id))).toBe("not_found");
  expect((await cancel(world, ADA, id)).state).toBe("cancelled");
});

test("single runs are cancelled before they begin, and passed over; the others run", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 70 });
  const spared = [3, ...Array.from({ length: 55 }, (_, index) => 5 + index), 69];
  for (const index of spared) expect((await cancel(world, ADA, `${id}.${index}`)).state).toBe("cancelled");
  expect((await cancel(world, ADA, `${id}.3`)).state).toBe("cancelled");
  expect((await arrayOf(world, id)).cancelled).toBe(spared.length);
  const ran = await runAll(world, clusterId, hosts);
  const expected = Array.from({ length: 70 }, (_, index) => index).filter(index => !spared.includes(index));
  expect(ran).toEqual(expected.map(index => `${id}.${index}`));
  expect(await infoOf(world, id)).toMatchObject({ state: "cancelled", runs: { succeeded: 13, cancelled: 57 } });
});

test("a run that runs is cancelled like any job, and its array goes on", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 2 });
  await hosts[0]?.poll();
  expect((await cancel(world, ADA, `${id}.0`)).state).toBe("cancelling");
  await runAll(world, clusterId, hosts);
  expect(await infoOf(world, id)).toMatchObject({ state: "cancelled", runs: { succeeded: 1, cancelled: 1 } });
});

test("when all that is left of it is cancelled, run by run, the array has ended", async () => {
  const { world, clusterId, id } = await withArray({ count: 3 });
  for (const index of [2, 0, 1]) await cancel(world, ADA, `${id}.${index}`);
  expect((await arrayOf(world, id)).state).toBe("cancelled");
  expect(await queueOf(world, clusterId)).toEqual([]);
});

test("the workspace's list shows the array; its runs are found by it, in order", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 12 });
  await runAll(world, clusterId, hosts);
  const all = await list(world, ADA, { limit: 100 });
  expect(all.items.map(job => job.id)).toEqual([id]);
  expect((await list(world, ADA, { limit: 100, cluster: "demo" })).items).toEqual(all.items);
  const first = await list(world, ADA, { limit: 5, array: id });
  const second = await list(world, ADA, { limit: 100, array: id, cursor: first.cursor as string });
  expect([...first.items, ...second.items].map(job => job.array?.index)).toEqual([...Array(12).keys()]);
  expect(await code(list(world, EVE, { limit: 5, array: id }))).toBe("not_found");
});

test("an array that takes its cluster along does so when its last run has ended", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 3 }, 1, {}, { down: true });
  const stateOf = async () => (await world.table.get(Keys.cluster("acme", clusterId)))?.data.state;
  await hosts[0]?.poll();
  for (const index of [0, 1]) {
    const [held] = await heldBy(world, clusterId, 0);
    expect(held?.jobId).toBe(`${id}.${index}`);
    await hosts[0]?.run(held as { jobId: string; fence: number }, 0);
    await hosts[0]?.poll();
    expect(await stateOf()).toBe("ready");
  }
  await runAll(world, clusterId, hosts);
  expect(await stateOf()).toBe("draining");
  expect((await arrayOf(world, id)).state).toBe("succeeded");
});

test("with its cluster the array ends: what runs and what has not begun", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 1000, concurrent: 1 });
  await hosts[0]?.poll();
  await Change.remove(world, ADA, clusterId);
  await passing(world, 3);
  const array = await arrayOf(world, id);
  expect(array).toMatchObject({ state: "cancelled", running: 0, cancelled: 1000 });
  expect(isSound(array)).toBe(true);
});

test("its history is its own, and tells no more than its own changes", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 3 });
  await runAll(world, clusterId, hosts);
  const { items } = await Read.events(world, ADA, id, { limit: 100 });
  expect(items.map(event => event.kind)).toEqual(["array.queued", "array.running", "array.succeeded"]);
  const run = await Read.events(world, ADA, `${id}.1`, { limit: 100 });
  expect(run.items.map(event => event.kind)).toEqual(["job.starting", "job.running", "job.succeeded"]);
});

test("a place in the queue that was lost is made good by the backstop", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 2 });
  const [entry] = await queueOf(world, clusterId);
  if (entry === undefined) throw new Error("no place in the queue");
  await world.table.write([{ remove: entry, expect: entry.version }]);
  await sweepDue(world);
  expect(await queueOf(world, clusterId)).toEqual([]);
  await passing(world, 61, async () => hosts[0]?.poll());
  await runAll(world, clusterId, hosts);
  expect((await arrayOf(world, id)).state).toBe("succeeded");
});

test("a place in the queue that was given back is not taken away by somebody who saw the one before", async () => {
  const { world, clusterId, hosts, id } = await withArray({ count: 2, concurrent: 1 }, 2);
  const { table } = world;
  const key = Keys.array("acme", id);
  const once = { claimed: false, ended: false };
  const slow: typeof table = {
    ...table,
    get: async of => {
      // While this one looks, another scheduler begins the first run: no more may run now.
      if (of.pk === key.pk && of.sk === key.sk && !once.claimed) {
        once.claimed = true;
        await schedule(world, ref(clusterId));
      }
      return table.get(of);
    },
    query: table.query.bind(table),
    write: async writes => {
      // Before this one takes the place away, the first run ends, and the array has its place again.
      if (!once.ended) {
        once.ended = true;
        const [held] = await heldBy(world, clusterId, 0);
        await hosts[0]?.run(held as { jobId: string; fence: number }, 0);
        expect(await queueOf(world, clusterId)).toHaveLength(1);
      }
      return table.write(writes);
    },
  };
  await schedule({ ...world, table: slow }, ref(clusterId));
  expect(once).toEqual({ claimed: true, ended: true });
  await runAll(world, clusterId, hosts);
  expect((await arrayOf(world, id)).state).toBe("succeeded");
});

test("its record stays below 1 KB", async () => {
  const labels = Object.fromEntries([1, 2, 3, 4].map(index => [`label-${index}`, "v".repeat(20)]));
  const { world, clusterId, hosts, id } = await withArray({ count: 100_000, concurrent: 500 }, 1, {
    name: "n".repeat(63),
    labels,
  });
  await hosts[0]?.poll();
  expect(Buffer.byteLength(JSON.stringify(await arrayOf(world, id)))).toBeLessThan(1024);
  expect(await heldBy(world, clusterId, 0)).toHaveLength(1);
});
