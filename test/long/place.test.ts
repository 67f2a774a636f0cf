/** The scheduler's laws, each on ten thousand queues and clusters; and its cost at its largest. The decision is a pure function. */
import type { Slot } from "@muster/core/cluster/slots.ts";
import { place } from "@muster/core/job/place.ts";
import type { Queued } from "@muster/core/job/queue.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { laws as besideLaws, mixtures } from "../support/beside-laws.ts";
import { cases } from "../support/place-cases.ts";
import { laws } from "../support/place-laws.ts";

for (const [name, law] of Object.entries(laws))
  test(name, async () => {
    const holds = fc.property(cases, of => law(of, place(of.queue, of.slots)));
    await fc.assert(holds, { numRuns: 10_000 });
  });

for (const [name, law] of Object.entries(besideLaws))
  test(name, async () => {
    await fc.assert(fc.property(mixtures, fc.boolean(), law), { numRuns: 10_000 });
  });

const HOSTS = 1024;
const ENTRIES = 10_000;

const largest = (needs: NonNullable<Queued["needs"]>): { queue: Queued[]; slots: Slot[] } => ({
  queue: Array.from({ length: ENTRIES }, (_, age) => ({
    jobId: `job_${age}`,
    nodes: 1,
    priority: 500,
    needs: [{ gpus: 9, gpu: "A100" }, ...needs],
  })),
  slots: Array.from({ length: HOSTS }, (_, rank) => ({
    rank,
    address: "10.0.0.1",
    cpus: 96,
    memory: 1152,
    gpus: 8,
    gpu: "A100",
    up: true,
    runs: [],
  })),
});

test("ten thousand entries on 1,024 hosts: as many start as may run at once, and hosts are looked at for those alone", () => {
  const { queue, slots } = largest([{ gpus: 1, cpus: 1 }]);
  const { placements, looks } = place(queue, slots);
  expect(placements).toHaveLength(2000);
  // Two alternatives for each that starts, and each of the two once for whether it is possible.
  expect(looks).toBe(HOSTS * (2 * 2000 + 2));
});

test("ten thousand impossible entries cost no more than one", () => {
  const { queue, slots } = largest([]);
  const { impossible, looks } = place(queue, slots);
  expect(impossible).toHaveLength(ENTRIES);
  expect(looks).toBe(HOSTS);
});
