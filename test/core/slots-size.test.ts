/** How large the item of a cluster's slots becomes: DynamoDB takes items of 400 KB. Pure: against the decision itself, and what it leads to. */
import type { Slot } from "@muster/core/cluster/slots.ts";
import { type Entry, place } from "@muster/core/job/place.ts";
import { expect, test } from "vitest";

const LIMIT = 400 * 1024;
const id = (index: number) => `job_01JZZZZZZZZZZZZZZZZZZZZZZZ.${String(index).padStart(5, "0")}`;

/** As wordy as they become. */
const slot = (rank: number, runs: Slot["runs"] = []): Slot => ({
  rank,
  address: "10.100.123.234",
  cpus: 192,
  memory: 2048,
  gpus: 8,
  gpu: "H100-SXM",
  most: 64,
  machineId: "i-0123456789abcdef0",
  group: "workers",
  schedulable: true,
  up: true,
  runs,
});
const hosts = (count: number) => Array.from({ length: count }, (_, rank) => slot(rank));

/** Places all of them that can be: what the item then comes to. */
function filled(slots: Slot[], queue: readonly Entry[]): { bytes: number; placed: number } {
  const { placements } = place(queue, slots);
  const runs = placements.flatMap(({ jobId, parts }, index) =>
    [...parts].map(([rank, part]) => ({ rank, run: { jobId, fence: 1_000_000 + index, ...part } })),
  );
  const byRank = Map.groupBy(runs, ({ rank }) => rank);
  const full = slots.map(one => ({
    ...one,
    runs: [...one.runs, ...(byRank.get(one.rank) ?? []).map(({ run }) => run)],
  }));
  const item = { workspace: "acme", clusterId: id(0), fence: 1_000_000, idleSince: 1e12, hosts: full };
  return { bytes: JSON.stringify(item).length, placed: placements.length };
}

test("many small jobs on the largest cluster stay below it, and the others wait", () => {
  const needs = [{ gpus: 4, gpu: "H100-SXM", cpus: 12.125, memory: 128.125 }];
  const queue = Array.from({ length: 2000 }, (_, index) => ({ jobId: id(index), nodes: 1, needs }));
  const { bytes, placed } = filled(hosts(1024), queue);
  expect(bytes).toBeLessThan(LIMIT);
  expect(placed).toBeGreaterThan(1024);
  expect(placed).toBeLessThan(2000);
});

test("so do commands beside them; a job on all of its hosts, with commands on all of them, has room", () => {
  const all = hosts(1024).map(({ rank }) => rank);
  const queue = [
    { jobId: id(0), nodes: 1024, needs: [{}], ranks: all },
    { jobId: id(1), nodes: 1024 },
  ];
  const { bytes, placed } = filled(hosts(1024), queue);
  expect(placed).toBe(2);
  expect(bytes).toBeLessThan(LIMIT);
  const full = hosts(1024).map(({ rank }) =>
    slot(rank, [{ jobId: id(rank), fence: 1_000_000, gpus: [0, 1, 2, 3], cpus: 12.125, memory: 128.125 }]),
  );
  const second = full.map(one => ({ ...one, runs: [...one.runs, ...(one.rank < 400 ? one.runs : [])] }));
  expect(filled(second, [queue[0] as Entry])).toMatchObject({ placed: 0 });
});
