/** How clusters of several kinds of hosts come and go; real verbs and reconcilers, on a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import { load } from "@muster/core/record.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { describe, expect, test } from "vitest";
import {
  callsOf,
  during,
  enrollGroups,
  HEAD,
  readyGroups,
  requestedGroups,
  taken,
  WORKERS,
} from "../support/groups.ts";
import { MINUTE, passing, ref, stateOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const recordOf = (world: TestWorld, id: string) => load(world.table, Cluster.noun, Keys.cluster("acme", id));
const launchOf = async (world: TestWorld, id: string) => {
  const cluster = await recordOf(world, id);
  return cluster && "launch" in cluster ? cluster.launch : undefined;
};

describe("launching", () => {
  test("goes group by group, and the cluster is ready when all hosts of all groups are up", async () => {
    const world = testWorld();
    const id = await requestedGroups(world);
    await reconcile(world, ref(id));
    expect(callsOf(world)).toEqual([
      [1, "head", "small", [0]],
      [2, "workers", "large", [1, 2]],
    ]);
    expect(world.provider.intents.map(intent => intent.resources)).toEqual([HEAD.resources, WORKERS.resources]);
    expect(await stateOf(world, id)).toBe("booting");
    await enrollGroups(world);
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "ready",
      nodes: 3,
      instanceType: "small",
      hourly: expect.closeTo(0.3),
      groups: [
        { name: "head", nodes: 1, schedulable: false, instanceType: "small", hourly: 0.1 },
        { name: "workers", nodes: 2, schedulable: true, instanceType: "large", hourly: 0.2 },
      ],
    });
  });

  test("a cluster without groups has one, and shows it", async () => {
    const world = testWorld();
    const { id } = await readyGroups(world, undefined, { groups: undefined, nodes: 2 });
    const { groups } = await Read.get(world, ADA, id);
    expect(groups).toEqual([{ name: "main", nodes: 2, schedulable: true, instanceType: "small", hourly: 0.2 }]);
    expect(callsOf(world)).toEqual([[1, "main", "small", [0, 1]]]);
  });

  test("a group without capacity takes its next offer; tries are counted over all groups", async () => {
    const world = testWorld();
    world.provider.full.add("small");
    const groups = [{ name: "a" }, { name: "b", nodes: 2 }, { name: "c" }];
    const { id } = await readyGroups(world, groups);
    expect(callsOf(world)).toEqual([
      [1, "a", "small", [0]],
      [2, "a", "large", [0]],
      [3, "b", "large", [1, 2]],
      [4, "c", "large", [3]],
    ]);
    expect(await stateOf(world, id)).toBe("ready");
  });

  test("a group that gets no offer fails the cluster by its name, and the machines of those before it end", async () => {
    const world = testWorld();
    world.provider.full.add("group:workers");
    const id = await requestedGroups(world, [HEAD, { name: "workers", nodes: 2 }, { name: "more" }]);
    await reconcile(world, ref(id));
    await passing(world, 2);
    expect(callsOf(world).map(([, group, type]) => [group, type])).toEqual([
      ["head", "small"],
      ["workers", "small"],
      ["workers", "large"],
    ]);
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "failed",
      failure: { code: "no_capacity", message: "group 'workers': no large left" },
    });
    expect([world.provider.machines.size, await taken(world)]).toEqual([0, 0]);
  });

  test("an offer that has gone when its group's turn comes fails the cluster", async () => {
    const world = testWorld();
    during(world, "head", async () => world.provider.offered.splice(1, 1));
    const id = await requestedGroups(world);
    await reconcile(world, ref(id));
    await passing(world, 2);
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "failed",
      failure: { code: "no_offer", message: "group 'workers': there is no large" },
    });
    expect(world.provider.machines.size).toBe(0);
  });

  test("an answer that is lost is asked for again, and nothing is made twice", async () => {
    const world = testWorld();
    during(world, "workers", async () => {
      throw new MusterError("unavailable", "connection reset");
    });
    const id = await requestedGroups(world);
    await expect(reconcile(world, ref(id))).rejects.toThrow("connection reset");
    await passing(world, 1);
    expect(callsOf(world).map(([attempt]) => attempt)).toEqual([1, 2, 2]);
    expect([world.provider.machines.size, await stateOf(world, id)]).toEqual([3, "booting"]);
  });

  test.each([
    ["answered", undefined],
    ["refused", new MusterError("no_capacity", "none left")],
  ])("a caller that stood still, and is %s when the launch is at a later group, changes nothing", async (_, error) => {
    const world = testWorld();
    // As many calls as the two for the head: the workers' has to wait.
    world.provider.capabilities = { ...world.provider.capabilities, launches: { burst: 2, perSecond: 0.001 } };
    const id = await requestedGroups(world);
    during(world, "head", async () => {
      world.clock.pass(2 * MINUTE);
      await reconcile(world, ref(id));
      if (error) throw error;
    });
    await reconcile(world, ref(id));
    expect(await launchOf(world, id)).toMatchObject({ try: 2, answered: false, made: [{ try: 1 }] });
    expect((await launchOf(world, id))?.sentAt).toBeUndefined();
    await passing(world, 16);
    expect(callsOf(world).map(([attempt]) => attempt)).toEqual([1, 1, 2]);
    expect(world.provider.machines.size).toBe(3);
  });
});

describe("removal", () => {
  test("while the second group's call is out ends the machines of both", async () => {
    const world = testWorld();
    const id = await requestedGroups(world);
    during(world, "workers", () => Change.remove(world, ADA, id));
    await reconcile(world, ref(id));
    await passing(world, 2);
    expect([await stateOf(world, id), world.provider.machines.size]).toEqual(["terminated", 0]);
    expect(callsOf(world)).toHaveLength(2);
  });

  test("between two calls waits until the machines of the first must show", async () => {
    const world = testWorld();
    const settle = 90_000;
    world.provider.capabilities = { ...world.provider.capabilities, settle, launches: { burst: 1, perSecond: 0.001 } };
    const id = await requestedGroups(world);
    await reconcile(world, ref(id));
    expect([callsOf(world).length, (await launchOf(world, id))?.sentAt]).toEqual([1, undefined]);
    const [late] = world.provider.machines.values();
    world.provider.machines.clear(); // Not visible yet.
    await Change.remove(world, ADA, id);
    await passing(world, 1);
    expect(await stateOf(world, id)).toBe("draining");
    world.provider.machines.set(late?.machineId ?? "", late as never);
    await passing(world, 1);
    expect([await stateOf(world, id), world.provider.machines.size]).toEqual(["terminated", 0]);
  });

  test("the machines of earlier groups are nobody's orphans, and those of a refused try are", async () => {
    const world = testWorld();
    world.provider.full.add("small");
    const { id } = await readyGroups(world, [{ name: "a" }, { name: "b" }]);
    const [mine] = world.provider.machines.values();
    const stray = { ...(mine as NonNullable<typeof mine>), machineId: "stray", try: 1 };
    world.provider.machines.set("stray", stray);
    expect(await sweepOrphans(world)).toEqual(["stray"]);
    expect([world.provider.machines.size, await stateOf(world, id)]).toEqual([2, "ready"]);
  });
});

test("stop and start are of all groups, and slots know theirs again", async () => {
  const world = testWorld();
  const { id, hosts } = await readyGroups(world);
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(id));
  expect([await stateOf(world, id), await taken(world)]).toEqual(["stopped", 0]);
  expect([...world.provider.machines.values()].map(machine => machine.state)).toEqual(Array(3).fill("stopped"));
  await Change.start(world, ADA, "demo");
  expect(await taken(world)).toBeCloseTo(0.3);
  await reconcile(world, ref(id));
  for (const host of hosts) await host.poll();
  expect(await stateOf(world, id)).toBe("ready");
  const slots = await Slots.get(world.table, "acme", id);
  expect(slots?.hosts.map(slot => [slot.rank, slot.group, slot.schedulable])).toEqual([
    [0, "head", false],
    [1, "workers", undefined],
    [2, "workers", undefined],
  ]);
});

test("a cluster that was recorded before there were groups goes on", async () => {
  const world = testWorld();
  const id = await requestedGroups(world, undefined, {
    groups: undefined,
    nodes: 2,
    resources: { instanceType: "large" },
  });
  const [cluster, spec] = await Promise.all([
    world.table.get(Keys.cluster("acme", id)),
    world.table.get(Keys.clusterSpec("acme", id)),
  ]);
  if (!cluster || !spec) throw new Error("not there");
  const { groups: _, ...data } = cluster.data;
  await world.table.write([
    { put: { ...cluster, data }, expect: cluster.version },
    { put: { ...spec, data: { resources: { instanceType: "large" } } }, expect: spec.version },
  ]);
  await reconcile(world, ref(id));
  await enrollGroups(world);
  expect(callsOf(world)).toEqual([[1, "main", "large", [0, 1]]]);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "ready", groups: [{ name: "main", nodes: 2 }] });
});

test("the record of a cluster with three groups and a price is within 1 KB", async () => {
  const world = testWorld();
  const offer = (instanceType: string, hourly: number, accelerators: Readonly<Record<string, number>>) => ({
    provider: "aws",
    instanceType,
    region: "eu-central-1",
    zone: "eu-central-1a",
    market: "on_demand" as const,
    cpus: 192,
    memory: 2048,
    accelerators,
    hourly,
  });
  world.provider.offered.splice(
    0,
    2,
    offer("m7i.2xlarge", 0.48384, {}),
    offer("g6e.48xlarge", 1.13118, { L40S: 8 }),
    offer("p5.48xlarge", 2.04, { H100: 8 }),
  );
  const of = (instanceType: string) => ({ resources: { instanceType } });
  const id = await requestedGroups(
    world,
    [
      { ...HEAD, ...of("m7i.2xlarge") },
      { ...WORKERS, ...of("g6e.48xlarge") },
      { name: "factories", nodes: 2, ...of("p5.48xlarge") },
    ],
    { idle: { after: 30, action: "stop", then: { after: 4320, action: "terminate" } } },
  );
  await reconcile(world, ref(id));
  const item = await world.table.get(Keys.cluster("acme", id));
  expect(item?.data).toMatchObject({ state: "booting", launch: { made: [{ try: 1 }, { try: 2 }] } });
  expect(item?.data.cost).toBeDefined();
  expect(JSON.stringify(item?.data).length).toBeLessThanOrEqual(1024);
});
