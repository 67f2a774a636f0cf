/**
 * Very many hosts that look sick at once: core on SQLite in memory, in virtual time, with hosts that are only spoken for.
 * Each of 50 clusters has one host, which runs a job.
 */
import * as Create from "@muster/core/cluster/create.ts";
import { events, hosts as hostsOf } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Brake from "@muster/core/host/brake.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { expect, test } from "vitest";
import { type Counts, counted } from "../support/counted.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, jobRequest, MINUTE, ref, stateOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { fleet, mostAtOnce } from "./brake-support.ts";

test("of 30 hosts of 50 that fall silent at once, at most ten are given up in any ten minutes, and somebody is told", async () => {
  const { world, workers, alarms, ended, minutes } = await fleet(50);
  const [sick, well] = [workers.slice(0, 30), workers.slice(30)];
  await minutes(30, well);
  expect([...ended.keys()].every(one => sick.includes(one))).toBe(true);
  expect(mostAtOnce([...ended.values()])).toBe(10);
  expect(ended.size).toBeLessThanOrEqual(20);
  expect(new Set(alarms)).toEqual(new Set(["HostsBraked"]));
  // It goes on: those that are really lost are all given up in the end.
  await minutes(40, well);
  expect(ended.size).toBe(30);
  expect(mostAtOnce([...ended.values()])).toBe(10);
  const machines = world.provider.machines.size;
  expect(machines).toBeGreaterThanOrEqual(20);
});

test("when the monitor recovers, whoever was held by the brake goes on, and nothing more is replaced", async () => {
  const { world, workers, ended, minutes, jobState } = await fleet(25);
  const [sick, well] = [workers.slice(0, 15), workers.slice(15)];
  while (ended.size === 0) await minutes(1, well);
  const given = ended.size;
  expect(given).toBeLessThanOrEqual(5);
  await minutes(20, workers);
  expect(ended.size).toBe(given);
  const states = await Promise.all(sick.filter(one => !ended.has(one)).map(jobState));
  expect(new Set(states)).toEqual(new Set(["running"]));
  expect(world.provider.intents).toHaveLength(25);
});

test("each cluster's history says once that its hosts are not given up", async () => {
  const { world, workers, minutes, ended } = await fleet(12);
  await minutes(35, []);
  const held = workers.filter(one => !ended.has(one));
  expect(held.length).toBeGreaterThan(0);
  for (const { clusterId } of held) {
    const { items } = await events(world, ADA, clusterId, { limit: 100 });
    const told = items.filter(event => event.kind === "cluster.braked");
    expect(told.map(({ message }) => message)).toEqual(["a host is silent, and not given up: too many are at once"]);
  }
});

test("hosts of which the cloud says that their machines have ended are all given up at once", async () => {
  const { world, workers, ended, minutes, alarms } = await fleet(12);
  const machines = [...world.provider.machines.values()];
  world.provider.machines.clear();
  world.provider.ended = async ({ clusterId }) =>
    machines.filter(one => one.clusterId === clusterId).map(one => ({ ...one, state: "terminated" }));
  await minutes(12, []);
  expect(ended.size).toBe(workers.length);
  expect(alarms).not.toContain("HostsBraked");
});

test("hosts whose machines the cloud has announced to take are given up at once, and those that it spared are not", async () => {
  const { world, workers, ended, minutes } = await fleet(12);
  const [spared, taken] = [workers.slice(0, 6), workers.slice(6)];
  for (const { host, jobId, fence } of spared) await host.poll([{ jobId, fence }], { kind: "interruption" });
  await minutes(30, workers);
  expect(ended.size).toBe(0);
  for (const { host, jobId, fence } of taken) await host.poll([{ jobId, fence }], { kind: "interruption" });
  world.provider.machines.clear();
  await minutes(12, []);
  expect(taken.every(one => ended.has(one))).toBe(true);
  expect(ended.size).toBe(taken.length + 2);
});

test("an empty answer of the cloud is no such word, nor is the end of machines of before", async () => {
  const { world, ended, minutes } = await fleet(12);
  const machines = [...world.provider.machines.values()];
  world.provider.machines.clear();
  world.provider.ended = async ({ clusterId }) =>
    machines.filter(one => one.clusterId === clusterId).map(one => ({ ...one, generation: 0, state: "terminated" }));
  await minutes(12, []);
  expect(ended.size).toBe(2);
});

test("a job whose cancellation a silent host does not answer ends even so", async () => {
  const { world, workers, minutes, jobState } = await fleet(5);
  await minutes(25, []);
  for (const one of workers) if ((await jobState(one)) === "running") await cancel(world, ADA, one.jobId);
  await minutes(18, []);
  expect(new Set(await Promise.all(workers.map(jobState)))).toEqual(new Set(["failed", "cancelled"]));
});

test("how many hosts there are is written when that changes what may be given up, and not otherwise", async () => {
  const made = testWorld();
  const counts: Counts = { reads: 0, items: 0, writes: 0 };
  const world = { ...made, table: counted(made.table, counts) };
  for (const [hosts, writes] of [
    [9, 0],
    [14, 0],
    [15, 1],
    [19, 0],
    [20, 1],
    [24, 0],
    [3, 1],
  ] as const) {
    counts.writes = 0;
    await Brake.count(world, "fake", hosts);
    expect([hosts, counts.writes]).toEqual([hosts, writes]);
  }
  expect((await world.table.get(Keys.fleet("fake")))?.data).toEqual({ hosts: 3 });
});

test("what can only be given up whole has its turn, also where a host is lost now and then, and one at a time", async () => {
  const world = testWorld();
  const from = world.clock.now();
  const given: number[] = [];
  const giveUp = async (hosts: number, whole?: number): Promise<boolean> => {
    const write = await Brake.release(world, "fake", hosts, whole);
    if (write !== undefined) await world.table.write([write]);
    return write !== undefined;
  };
  for (let minute = 0; minute < 120; minute++) {
    if (minute % 8 === 0) await giveUp(1);
    if (await giveUp(6, from)) given.push(minute);
    world.clock.pass(MINUTE);
  }
  // Of so few hosts two may go in ten minutes: six take half an hour.
  expect(given[0]).toBe(30);
  const pauses = given.slice(1).map((minute, n) => minute - (given[n] ?? 0));
  expect(new Set(pauses)).toEqual(new Set([11]));
});

/** Nobody runs anything there. */
async function idle(world: TestWorld, name: string, nodes: number): Promise<string> {
  const { id } = await Create.create(world, ADA, clusterRequest({ name, nodes, idle: "never" }));
  await reconcile(world, ref(id));
  await enrollAll(world);
  return id;
}

test("a host that a job has lost is not counted again when its cluster is given up", async () => {
  const { world, workers, minutes, ended } = await fleet(2);
  await minutes(48, workers);
  world.provider.machines.clear();
  await minutes(8, []);
  expect(ended.size).toBe(2);
  // Their clusters are looked at once an hour: well within ten minutes.
  await minutes(7, []);
  for (const { clusterId } of workers) expect(await stateOf(world, clusterId)).toBe("failed");
});

test("several jobs of one host are one loss", async () => {
  const world = testWorld();
  const jobs: string[] = [];
  for (const name of ["one", "two"]) {
    const { id } = await Create.create(world, ADA, clusterRequest({ name, idle: "never" }));
    await reconcile(world, ref(id));
    const [host] = await enrollAll(world);
    const share = jobRequest({ resources: { cpus: { count: 1, atLeast: true } } });
    for (let n = 0; n < 3; n++) jobs.push((await submit(world, ADA, name, share)).id);
    const orders = await host?.poll();
    expect(orders?.assignments).toHaveLength(3);
  }
  world.provider.machines.clear();
  for (let minute = 0; minute < 12; minute++) {
    world.clock.pass(MINUTE);
    await sweepDue(world);
  }
  const states = await Promise.all(jobs.map(async id => (await Read.get(world, ADA, id)).state));
  expect(states).toEqual(jobs.map(() => "failed"));
});

test("a gang whose hosts are all silent is given up share by share, without a pause for those that are left", async () => {
  const world = testWorld();
  const { id: clusterId } = await Create.create(world, ADA, clusterRequest({ nodes: 4, idle: "never" }));
  await reconcile(world, ref(clusterId));
  const hosts = await enrollAll(world);
  const { id: jobId } = await submit(world, ADA, "demo", jobRequest({ nodes: 4 }));
  for (const host of hosts) await host.poll();
  const { fence = 0 } = await Read.get(world, ADA, jobId);
  for (const host of hosts) await host.report({ jobId, fence, state: "running" });
  const lost: number[] = [];
  // Looks come a little late each time.
  const step = 80_000;
  for (let n = 0; n < 40; n++) {
    world.clock.pass(step);
    await sweepDue(world);
    const { items } = await hostsOf(world, ADA, clusterId, { limit: 10 });
    lost.push(items.filter(({ state }) => state === "lost").length);
  }
  const [first, last] = [lost.indexOf(2), lost.indexOf(4)];
  expect([...new Set(lost)]).toEqual([0, 2, 4]);
  expect([8, 9]).toContain(last - first);
  expect((await Read.get(world, ADA, jobId)).state).toBe("failed");
});

test("hosts that the brake holds are not asked about one by one", async () => {
  const world = testWorld();
  const { id: clusterId } = await Create.create(world, ADA, clusterRequest({ nodes: 12, idle: "never" }));
  await reconcile(world, ref(clusterId));
  const hosts = await enrollAll(world);
  const { id: jobId } = await submit(world, ADA, "demo", jobRequest({ nodes: 12 }));
  for (const host of hosts) await host.poll();
  const { fence = 0 } = await Read.get(world, ADA, jobId);
  for (const host of hosts) await host.report({ jobId, fence, state: "running" });
  let asked = 0;
  const get: typeof world.table.get = key => {
    if (key.sk === "GIVEN_UP") asked++;
    return world.table.get(key);
  };
  const look = async () => {
    world.clock.pass(MINUTE);
    asked = 0;
    await sweepDue({ ...world, table: { ...world.table, get } });
    return asked;
  };
  const looks: number[] = [];
  for (let minute = 0; minute < 30; minute++) looks.push(await look());
  // Two are given up, and one is refused; then one is refused at each look, until there is room again.
  expect(looks.filter(count => count > 0).slice(0, 3)).toEqual([3, 1, 1]);
});

test("a cluster that can only be given up whole waits as long as giving up its hosts in parts would take", async () => {
  const world = testWorld();
  const ids: string[] = [];
  for (const [name, nodes] of [["small", 2] as const, ["large", 8] as const, ["as-large", 8] as const])
    ids.push(await idle(world, name, nodes));
  await sweepOrphans(world);
  world.provider.machines.clear();
  const over = new Map<string, number>();
  const look = async (id: string, minute: number) => {
    if (!over.has(id) && (await stateOf(world, id)) !== "ready") over.set(id, minute);
  };
  for (let minute = 1; minute <= 180 && over.size < ids.length; minute++) {
    world.clock.pass(MINUTE);
    await sweepDue(world);
    for (const id of ids) await look(id, minute);
  }
  // All are looked at after an hour, and are lost for certain a minute later. Of 18 hosts, three may go in ten minutes.
  const [small, ...large] = ids.map(id => over.get(id) ?? Infinity);
  const [first = 0, second = 0] = large.toSorted((a, b) => a - b);
  expect([small, first]).toEqual([61, 60 + 3 * 10]);
  // And nobody else with it.
  expect([11, 12]).toContain(second - first);
});
