/**
 * What one sweep costs, by counting and not by time: core's own sweep on the real SQLite table in memory, with clusters that
 * are copies of one that came up as all do. Twenty of them are due; of the others there are more and more.
 */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Item, Write } from "@muster/core/ports/table.ts";
import { insert, load, type Stored } from "@muster/core/record.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { expect, test } from "vitest";
import { type Counts, counted } from "../support/counted.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, MINUTE, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const DUE = 20;
const SIZES = [100, 1_000, 10_000, 100_000];
const MOST = 0.05;
const YEAR = 365 * 24 * 60 * MINUTE;

/** So many ready clusters, all of which are due at the same time, with hosts that have just called. */
async function readyOnes(world: TestWorld): Promise<Stored<Cluster.Cluster>[]> {
  const hosts = [];
  const ids: string[] = [];
  for (let n = 0; n < DUE; n++) {
    const { id } = await Create.create(world, ADA, clusterRequest({ name: `due-${n}`, idle: "never" }));
    await reconcile(world, ref(id));
    hosts.push(...(await enrollAll(world)));
    ids.push(id);
  }
  const made = await Promise.all(ids.map(id => load(world.table, Cluster.noun, Keys.cluster("acme", id))));
  const clusters = made.filter(cluster => cluster !== undefined);
  const dueAt = Math.max(...clusters.map(cluster => ("dueAt" in cluster ? (cluster.dueAt ?? 0) : 0)));
  world.clock.pass(dueAt - world.clock.now());
  for (const host of hosts) await host.poll();
  return clusters;
}

/** Copies of a cluster that nobody need look at for a year. */
async function fill(world: TestWorld, model: Stored<Cluster.Cluster>, count: number): Promise<void> {
  const { version: _, rest: __, ...cluster } = model;
  const dueAt = world.clock.now() + YEAR;
  const copies = Array.from({ length: count }, (_, n): Write => {
    const id = `clu_${String(n).padStart(26, "0")}`;
    return insert(Cluster.noun, { ...cluster, id, name: `idle-${n}`, dueAt } as Cluster.Cluster);
  });
  for (let from = 0; from < count; from += 100) await world.table.write(copies.slice(from, from + 100));
}

async function costOf(world: TestWorld): Promise<Counts & { due: number }> {
  const counts: Counts = { reads: 0, items: 0, writes: 0 };
  const due = await sweepDue({ ...world, table: counted(world.table, counts) });
  return { due, ...counts };
}

/** Of the straight line through the points' logarithms. */
function exponentOf(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (of: 0 | 1) => logs.reduce((sum, point) => sum + point[of], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const above = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

test("the fit finds the exponent of what does grow", () => {
  expect(exponentOf(SIZES.map(size => [size, 3 * size ** 0.5]))).toBeCloseTo(0.5);
  expect(exponentOf(SIZES.map(size => [size, 7]))).toBeCloseTo(0);
});

test("a sweep reads and writes what is due, however much is not: 10² to 10⁵ clusters", async () => {
  const costs: (Counts & { size: number })[] = [];
  for (const size of SIZES) {
    const world = testWorld();
    const clusters = await readyOnes(world);
    await fill(world, clusters[0] as Stored<Cluster.Cluster>, size - DUE);
    const { due, ...cost } = await costOf(world);
    expect(due).toBe(DUE);
    expect(cost.writes).toBeGreaterThanOrEqual(DUE);
    costs.push({ size, ...cost });
    // All have been looked at, and nothing has changed since.
    expect(await costOf(world)).toEqual({ due: 0, reads: Keys.DUE_SHARDS, items: 0, writes: 0 });
    expect(world.errors).toEqual([]);
  }
  for (const kind of ["reads", "items", "writes"] as const)
    expect(exponentOf(costs.map(cost => [cost.size, cost[kind]])), kind).toBeLessThanOrEqual(MOST);
  // One look, and one write of when the next is due.
  expect(costs.at(-1)).toEqual({ ...costs[0], size: SIZES.at(-1) });
});

test("what is due and as it should be is written once, with its next deadline, and touches nothing else", async () => {
  const world = testWorld();
  const clusters = await readyOnes(world);
  const itemOf = ({ id }: { readonly id: string }) => world.table.get(Keys.cluster("acme", id)) as Promise<Item>;
  const before = await Promise.all(clusters.map(itemOf));
  const { writes } = await costOf(world);
  expect(writes).toBe(DUE);
  const after = await Promise.all(clusters.map(itemOf));
  for (const [n, item] of after.entries()) expect(item.data).toEqual({ ...before[n]?.data, dueAt: expect.any(Number) });
});
