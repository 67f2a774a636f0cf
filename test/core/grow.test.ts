/** Clusters that grow. Ran against core on SQLite in memory, with a provider of ours with dials. */
import * as Budget from "@muster/core/budget/change.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Host from "@muster/core/host/host.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import type { MoveRef } from "@muster/core/ports/provider.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { expect, test } from "vitest";
import { flambe, HEAD, request, shown, workers } from "../support/grown.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, jobRequest, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

test("who asks for more hosts of a group gets the difference, of the same kind, and the others are left alone", async () => {
  const world = testWorld();
  const id = await flambe(world);
  const before = [...world.provider.machines.keys()];
  await Create.create(world, ADA, request(HEAD, workers(4)));
  await reconcile(world, ref(id));
  expect(world.provider.intents.at(-1)).toMatchObject({
    group: "workers",
    generation: 1,
    try: 3,
    offer: { instanceType: "large" },
    hosts: [{ rank: 3 }, { rank: 4 }],
  });
  await enrollAll(world);
  expect(await shown(world, id)).toEqual(["ready", 5, ["head 1", "workers 4"]]);
  expect([...world.provider.machines.keys()].slice(0, 3)).toEqual(before);
  expect(await sweepOrphans(world)).toEqual([]);
  const { id: job } = await submit(world, ADA, id, jobRequest({ nodes: 4 }));
  await sweepDue(world);
  await reconcile(world, ref(id));
  expect((await Jobs.get(world, ADA, job)).placement).toEqual([1, 2, 3, 4]);
});

test("the same request again, or one for less, changes nothing", async () => {
  const world = testWorld();
  const id = await flambe(world);
  const { changes } = world;
  const count = changes.length;
  await Create.create(world, ADA, request(HEAD, workers(2)));
  await Create.create(world, ADA, request(workers(1)));
  expect([changes.length, await shown(world, id)]).toEqual([count, ["ready", 3, ["head 1", "workers 2"]]]);
});

test("jobs run on while their cluster grows, and keep their hosts", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const { id: jobId } = await submit(world, ADA, id, jobRequest());
  await hosts[0]?.poll();
  const fence = (await Jobs.get(world, ADA, jobId)).fence ?? 0;
  await hosts[0]?.report({ jobId, fence, state: "running" });
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await reconcile(world, ref(id));
  expect(await hosts[0]?.poll([{ jobId, fence }])).toMatchObject({ revoked: [], held: [{ jobId }] });
  await enrollAll(world);
  expect(await shown(world, id)).toEqual(["ready", 2, ["main 2"]]);
  expect(await hosts[0]?.poll([{ jobId, fence }])).toMatchObject({ revoked: [], held: [{ jobId }] });
  const exit = { jobId, fence, state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true } as const;
  await hosts[0]?.report(exit);
  expect((await Jobs.get(world, ADA, jobId)).state).toBe("succeeded");
});

test("where there are no more machines the cluster is what it was, says why, and may grow later", async () => {
  const world = testWorld();
  const id = await flambe(world);
  world.provider.full.add("large");
  await Create.create(world, ADA, request(HEAD, workers(3)));
  await passing(world, 12);
  expect(await shown(world, id)).toEqual(["ready", 3, ["head 1", "workers 2"]]);
  expect((await Read.get(world, ADA, id)).failure).toMatchObject({ code: "no_capacity" });
  expect(world.provider.machines.size).toBe(3);
  world.provider.full.clear();
  await Create.create(world, ADA, request(HEAD, workers(3)));
  await reconcile(world, ref(id));
  await enrollAll(world);
  expect(await shown(world, id)).toEqual(["ready", 4, ["head 1", "workers 3"]]);
  expect((await Read.get(world, ADA, id)).failure).toBeUndefined();
});

test("hosts that never call home are ended, and the others work on", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 3 }));
  await reconcile(world, ref(id));
  expect(world.provider.machines.size).toBe(3);
  await passing(world, 20, async () => hosts[0]?.poll());
  expect(await shown(world, id)).toEqual(["ready", 1, ["main 1"]]);
  expect((await Read.get(world, ADA, id)).failure?.code).toBe("boot_timeout");
  expect(world.provider.machines.size).toBe(1);
  expect((await Read.hosts(world, ADA, id, { limit: 100 })).items).toHaveLength(1);
});

test("a job that counted on a growth which came to nothing is told so, and keeps no machine running", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: { after: 10, action: "stop" } });
  await Create.create(world, ADA, clusterRequest({ nodes: 3 }));
  const { id: wide } = await submit(world, ADA, id, jobRequest({ nodes: 3 }));
  const { id: narrow } = await submit(world, ADA, id, jobRequest());
  await passing(world, 9, async () => hosts[0]?.poll());
  expect(await Jobs.get(world, ADA, wide)).toMatchObject({
    state: "failed",
    failure: { code: "boot_timeout", message: "it wants 3 hosts, and cluster 'demo' has 1 for jobs" },
  });
  expect((await Jobs.get(world, ADA, narrow)).state).toBe("starting");
});

test("new jobs begin on the hosts that are there while their cluster grows", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await reconcile(world, ref(id));
  expect((await Read.get(world, ADA, id)).state).toBe("booting");
  const { id: job } = await submit(world, ADA, id, jobRequest());
  expect((await hosts[0]?.poll())?.assignments).toMatchObject([{ jobId: job }]);
});

test("a job that was to take its cluster along, and counted on a growth in vain, ends alone", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 3 }));
  const { id: wide } = await submit(world, ADA, id, jobRequest({ nodes: 3 }, { down: true }));
  await passing(world, 9, async () => hosts[0]?.poll());
  expect((await Jobs.get(world, ADA, wide)).state).toBe("failed");
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
});

test("each growth tries all offers, however many were tried in vain before", async () => {
  const world = testWorld();
  const id = await flambe(world);
  const any = { ...workers(3), resources: { cpus: { count: 1, atLeast: true } } };
  world.provider.full.add("small").add("large");
  await Create.create(world, ADA, request(HEAD, any));
  await passing(world, 12);
  expect(await shown(world, id)).toEqual(["ready", 3, ["head 1", "workers 2"]]);
  world.provider.full.delete("large");
  const calls = world.provider.intents.length;
  await Create.create(world, ADA, request(HEAD, any));
  await passing(world, 1);
  expect(world.provider.intents.slice(calls).map(intent => intent.offer.instanceType)).toEqual(["small", "large"]);
});

test("a cluster that grows is not stopped in the middle of it", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await reconcile(world, ref(id));
  await expect(Change.stop(world, ADA, id)).rejects.toMatchObject({
    code: "conflict",
    message: "cluster 'demo' is growing, and cannot stop now",
  });
});

test("whoever stood still while a growth was taken back ends no machine of the next one", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const grow = () => Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await grow();
  await passing(world, 6, async () => hosts[0]?.poll());
  expect((await Read.get(world, ADA, id)).state).toBe("growing");
  const { observe } = world.provider;
  const goOn = Promise.withResolvers<void>();
  world.provider.observe = async of => {
    world.provider.observe = observe;
    await goOn.promise;
    return observe(of);
  };
  const late = reconcile(world, ref(id));
  await Promise.resolve();
  await passing(world, 12, async () => hosts[0]?.poll());
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
  await grow();
  await reconcile(world, ref(id));
  const [second] = await enrollAll(world);
  goOn.resolve();
  await late;
  // Its host is known still.
  expect(await second?.poll()).toMatchObject({ revoked: [] });
  expect([(await Read.get(world, ADA, id)).state, world.provider.machines.size]).toEqual(["ready", 2]);
});

test("a growth that came to nothing is not idle time", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: { after: 10, action: "terminate" } });
  await passing(world, 7, async () => hosts[0]?.poll());
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await passing(world, 15, async () => hosts[0]?.poll());
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
});

test("a job that cannot be placed keeps no growth from its end", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  const { pk } = Keys.cluster("acme", id);
  await world.table.write([{ put: { pk, sk: "Q#00000#x", type: "queued", data: { odd: true } }, expect: "absent" }]);
  await passing(world, 20, async () => hosts[0]?.poll().catch(() => undefined));
  expect(await shown(world, id)).toEqual(["ready", 1, ["main 1"]]);
});

test("no try is used twice: what a growth made that came to nothing is never taken for the next one's", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  await Create.create(world, ADA, clusterRequest({ nodes: 3 }));
  await passing(world, 20, async () => hosts[0]?.poll());
  expect(await shown(world, id)).toEqual(["ready", 1, ["main 1"]]);
  await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
  await reconcile(world, ref(id));
  expect(world.provider.intents.map(intent => intent.try)).toEqual([1, 2, 3]);
});

test("what a growth wanted and did not get is not paid for when the cluster moves", async () => {
  const world = testWorld();
  Object.assign(world.provider, {
    capabilities: { ...world.provider.capabilities, move: true },
    snapshot: async ({ clusterId }: MoveRef) => [{ hostId: Host.idOf(clusterId, 0), state: "complete" }],
  });
  const { id, hosts } = await readyCluster(world, { idle: "never" });
  const taken = async () => (await Budget.get(world, ADA)).hourly.taken;
  const before = await taken();
  await Create.create(world, ADA, clusterRequest({ nodes: 4 }));
  await passing(world, 20, async () => hosts[0]?.poll());
  await Change.stop(world, ADA, id);
  await reconcile(world, ref(id));
  await Change.start(world, ADA, id, { move: true });
  await passing(world, 2);
  expect(await shown(world, id)).toEqual(["booting", 1, ["main 1"]]);
  expect(await taken()).toBeCloseTo(before);
});

test("what a growing cluster takes of the budget is given back with what it could not get", async () => {
  const world = testWorld();
  const id = await flambe(world);
  const takes = async () => (await Read.get(world, ADA, id)).hourly;
  const before = await takes();
  await Create.create(world, ADA, request(HEAD, workers(4)));
  await reconcile(world, ref(id));
  expect(await takes()).toBeCloseTo((before ?? 0) * (5 / 3));
  await passing(world, 20);
  expect(await takes()).toBeCloseTo(before ?? 0);
});
