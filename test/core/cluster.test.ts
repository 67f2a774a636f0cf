/** Clusters through the real verbs and reconcilers, on SQLite in memory and a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Id from "@muster/core/id.ts";
import { get as getJob } from "@muster/core/job/read.ts";
import { blueprint, submit } from "@muster/core/job/submit.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { enrollAll, FACTS } from "../support/host.ts";
import { code } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ref = (clusterId: string) => ({ workspace: "acme", clusterId });
const request = (name: string, more = {}) => ({ name, nodes: 1, resources: {}, shared: false, ...more });

async function readyCluster(world: TestWorld, nodes = 1, more = {}) {
  const { id } = await Create.create(world, ADA, request("demo", { nodes, ...more }));
  await reconcile(world, ref(id));
  return { id, hosts: await enrollAll(world) };
}

test("a cluster goes from request to ready, and each step is an event", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, 2);
  expect((await Read.get(world, ADA, "demo")).state).toBe("ready");
  const { items } = await Read.events(world, ADA, id, { limit: 100 });
  expect(items.map(event => event.kind)).toEqual([
    "cluster.requested",
    "cluster.launching",
    "cluster.booting",
    "cluster.ready",
  ]);
});

test("two requests for one name make one cluster", async () => {
  const world = testWorld();
  const [one, two] = await Promise.all([
    Create.create(world, ADA, request("demo")),
    Create.create(world, ADA, request("demo")),
  ]);
  expect(one.id).toBe(two.id);
});

test("another's cluster is not used unless it is shared", async () => {
  const world = testWorld();
  await Create.create(world, ADA, request("mine"));
  await Create.create(world, ADA, request("ours", { shared: true }));
  expect(await code(Create.create(world, BEN, request("mine")))).toBe("name_taken");
  const job = { task: Task.parse({ run: "true" }), name: undefined, priority: 500, down: false };
  expect(await code(submit(world, BEN, "mine", job))).toBe("forbidden");
  expect(await code(Change.remove(world, BEN, "ours"))).toBe("forbidden");
  expect((await submit(world, BEN, "ours", job)).owner).toBe("usr_ben");
});

test("another workspace's cluster is answered like one that does not exist", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, request("demo"));
  const message = (promise: Promise<unknown>) =>
    promise.catch((error: Error) => error.message.replaceAll(/'.*'/g, "X"));
  expect(await message(Read.get(world, EVE, id))).toBe(await message(Read.get(world, EVE, "clu_nothing")));
});

test("no capacity leads to the next offer, and none left to a failure with nothing behind it", async () => {
  const world = testWorld();
  world.provider.full.add("small");
  const { id } = await Create.create(world, ADA, request("demo"));
  await reconcile(world, ref(id));
  expect(world.provider.intents.map(intent => [intent.try, intent.offer.instanceType])).toEqual([
    [1, "small"],
    [2, "large"],
  ]);
  world.provider.full.add("large");
  const second = await Create.create(world, ADA, request("other"));
  await reconcile(world, ref(second.id));
  const failed = await Read.get(world, ADA, second.id);
  expect([failed.state, failed.failure?.code]).toEqual(["failed", "no_capacity"]);
});

test("a launch whose answer is lost is sent again with the same intent, and nothing is launched twice", async () => {
  const world = testWorld();
  world.provider.loseAnswer = new Error("connection reset");
  const { id } = await Create.create(world, ADA, request("demo"));
  await expect(reconcile(world, ref(id))).rejects.toThrow("connection reset");
  await reconcile(world, ref(id));
  expect(world.provider.intents).toHaveLength(1); // The lease still holds.
  world.clock.pass(6_000);
  await reconcile(world, ref(id));
  expect(world.provider.intents[1]).toEqual(world.provider.intents[0]);
  expect(world.provider.machines.size).toBe(1);
});

test("a removed cluster is not called terminated while a launch may still land", async () => {
  const world = testWorld();
  world.provider.loseAnswer = new Error("connection reset");
  const { id } = await Create.create(world, ADA, request("demo"));
  await expect(reconcile(world, ref(id))).rejects.toThrow();
  const [late] = world.provider.machines.values();
  world.provider.machines.clear(); // Not visible yet.
  await Change.remove(world, ADA, id);
  await reconcile(world, ref(id));
  expect((await Read.get(world, ADA, id)).state).toBe("draining");
  world.provider.machines.set(late?.machineId ?? "", late as never);
  world.clock.pass(300_000);
  await sweepDue(world);
  expect(world.provider.machines.size).toBe(0);
  expect((await Read.get(world, ADA, id)).state).toBe("draining");
  world.clock.pass(300_000);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("terminated");
});

test("termination never gives up", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  world.provider.obeys = false;
  await Change.remove(world, ADA, id);
  for (let hour = 0; hour < 100; hour++) {
    world.clock.pass(3_600_000);
    await sweepDue(world);
  }
  expect((await Read.get(world, ADA, id)).state).toBe("draining");
  world.provider.obeys = true;
  world.clock.pass(60_000);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("terminated");
});

test("a name is free again once its cluster has ended", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  await Change.remove(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect(await code(Read.get(world, ADA, "demo"))).toBe("not_found");
  const again = await Create.create(world, ADA, request("demo"));
  expect(again.id).not.toBe(id);
});

test("hosts that never call home fail the cluster, and their machines go", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, request("demo"));
  await reconcile(world, ref(id));
  world.clock.pass(world.provider.capabilities.boot);
  await sweepDue(world);
  const cluster = await Read.get(world, ADA, id);
  expect([cluster.state, cluster.failure?.code, world.provider.machines.size]).toEqual(["failed", "boot_timeout", 0]);
});

test("an image without the session agent fails the cluster, and nothing is left", async () => {
  const world = testWorld();
  const unreachable = { ...FACTS, sessionAgent: false };
  const { id } = await Create.create(world, ADA, request("demo", { idle: "never" }));
  await reconcile(world, ref(id));
  await enrollAll(world, unreachable);
  await reconcile(world, ref(id));
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "image_unsuitable" } });
  expect(world.provider.machines.size).toBe(0);
});

test("stop keeps the machines, start brings the same hosts back, and without capacity it is stopped again", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, 2);
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect((await Read.get(world, ADA, id)).state).toBe("stopped");
  world.provider.canStart = false;
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "stopped", failure: { code: "no_capacity" } });
  world.provider.canStart = true;
  await Change.start(world, ADA, "demo");
  await reconcile(world, ref(id));
  for (const host of hosts) await host.poll();
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "ready", generation: 1 });
});

test("an idle cluster stops, and a stopped one ends, as its policy says", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, 1, {
    idle: { after: 30, action: "stop", then: { after: 60, action: "terminate" } },
  });
  world.clock.pass(29 * 60_000);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
  world.clock.pass(2 * 60_000);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("stopped");
  world.clock.pass(61 * 60_000);
  await sweepDue(world);
  expect((await Read.get(world, ADA, id)).state).toBe("terminated");
});

test("a machine that no record owns is terminated, and one that is launching is not", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  const [mine] = world.provider.machines.values();
  world.provider.machines.set("stray", {
    ...(mine as NonNullable<typeof mine>),
    machineId: "stray",
    clusterId: "clu_00000000000000000000000000",
  });
  expect(await sweepOrphans(world)).toEqual(["stray"]);
  expect([...world.provider.machines.keys()]).toEqual([mine?.machineId]);
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
});

test("a store that refuses now and then is asked again; one that goes on changes nothing", async () => {
  const world = testWorld();
  world.refuse(3);
  expect(await code(Create.create(world, ADA, request("demo")))).toBe("busy");
  expect((await Read.list(world, ADA, { all: true, limit: 10 })).items).toEqual([]);
  world.refuse(2);
  expect((await Create.create(world, ADA, request("demo"))).state).toBe("requested");
});

test("a cluster that is no longer whole fails when nothing runs on it, instead of waiting for ever", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, 2, { idle: "never" });
  const [first] = world.provider.machines.keys();
  world.provider.machines.delete(first ?? "");
  for (let minute = 0; minute < 90; minute++) {
    world.clock.pass(60_000);
    await hosts[1]?.poll().catch(() => undefined); // Until its cluster goes.
    await sweepDue(world);
  }
  expect(await Read.get(world, ADA, id)).toMatchObject({
    state: "failed",
    failure: { code: "hosts_lost", message: "1 of its 2 hosts is gone" },
  });
  expect(world.provider.machines.size).toBe(0);
});

test("a job that lands on a cluster that has just ended does not wait for it", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  const { info: job, writes } = blueprint(
    world,
    ADA,
    { id, name: "demo", nodes: 1, provider: "fake" },
    { task: Task.parse({ run: "true" }), name: undefined, priority: 500, down: false },
    Id.create(world.random, "job"),
  );
  await Change.remove(world, ADA, id);
  await reconcile(world, ref(id));
  await world.table.write(writes);
  await reconcile(world, ref(id));
  expect((await getJob(world, ADA, job.id)).state).toBe("cancelled");
});
