/** Jobs that run on one group of a cluster's hosts alone: core's verbs on SQLite in memory, hosts without machines. */
import * as Read from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { expect, test } from "vitest";
import { HEAD, readyGroups, WORKERS } from "../support/groups.ts";
import { jobRequest, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const SMALL = { name: "small", nodes: 1, resources: { instanceType: "small" } };
const GROUPS = [SMALL, WORKERS, HEAD];
const pinned = (group: string, task = {}) => jobRequest(task, { group });

test("a job runs on the hosts of its group, however that is written, and waits for them alone", async () => {
  const world = testWorld();
  const { id } = await readyGroups(world, GROUPS);
  const wide = await submit(world, ADA, "demo", pinned("Workers", { nodes: 2 }));
  const next = await submit(world, ADA, "demo", pinned("workers"));
  expect(await schedule(world, ref(id))).toEqual([wide.id]);
  expect(await Read.find(world, ADA, wide.id)).toMatchObject({ placement: [1, 2], group: "Workers" });
  expect((await why(world, ADA, next.id)).reasons).toEqual([
    `it wants 1 of 2 hosts, and 0 are free: the rest is taken by ${wide.id}`,
  ]);
});

test("nothing overtakes it, on whatever group", async () => {
  const world = testWorld();
  const { id } = await readyGroups(world, GROUPS);
  const wide = await submit(world, ADA, "demo", pinned("workers", { nodes: 2 }));
  await schedule(world, ref(id));
  await submit(world, ADA, "demo", pinned("workers"));
  const free = await submit(world, ADA, "demo", pinned("small"));
  expect(await schedule(world, ref(id))).toEqual([]);
  expect([(await Read.get(world, ADA, wide.id)).state, (await Read.get(world, ADA, free.id)).state]).toEqual([
    "starting",
    "queued",
  ]);
});

test.each([
  ["is not there", "worker", {}, "cluster 'demo' has no group 'worker' that takes jobs", "did you mean 'workers'?"],
  ["takes no jobs", "head", {}, "cluster 'demo' has no group 'head' that takes jobs", undefined],
  ["is too small", "small", { nodes: 2 }, "the job wants 2 hosts; group 'small' of cluster 'demo' has 1", undefined],
  [
    "has too little",
    "small",
    { resources: { cpus: { count: 64, atLeast: false } } },
    "it wants 64 CPUs on one host; of group 'small' of cluster 'demo' no host has that",
    undefined,
  ],
])("one whose group %s is refused", async (_, group, task, message, hint) => {
  const world = testWorld();
  await readyGroups(world, GROUPS);
  await expect(submit(world, ADA, "demo", pinned(group, task))).rejects.toMatchObject({
    code: "invalid_request",
    message,
    ...(hint !== undefined && { details: { hint } }),
  });
});
