/** How much of a kind a workspace may have; through the real verbs and reconcilers, on SQLite in memory and a provider of ours. */
import * as Budget from "@muster/core/budget/budget.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { save } from "@muster/core/image/save.ts";
import * as Keys from "@muster/core/keys.ts";
import { set as setPool } from "@muster/core/pool/set.ts";
import { change, get } from "@muster/core/quota/change.ts";
import type { Quota } from "@muster/core/quota/quota.ts";
import { set as setSchedule } from "@muster/core/schedule/set.ts";
import { remove as removeSecret } from "@muster/core/secret/remove.ts";
import { set as setSecret } from "@muster/core/secret/set.ts";
import { remove as removeTarget } from "@muster/core/target/remove.ts";
import { set as setTarget } from "@muster/core/target/set.ts";
import * as Target from "@muster/core/target/target.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { imagable } from "../support/images.ts";
import { clusterRequest, code, passing, readyCluster, ref, stoppedCluster } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { request as poolRequest } from "./pool-support.ts";
import { request as scheduleRequest } from "./schedule-support.ts";

const ADMIN = { ...ADA, role: "admin" } as const;

const of = async (world: TestWorld, quota: Quota) => (await get(world, ADA)).quotas.find(one => one.quota === quota);
const alive = async (world: TestWorld) => (await Budget.get(world.table, ADA.workspace)).held;

/** Machines of two GPUs, which cost nothing. */
function free(): TestWorld {
  const world = testWorld();
  const offers = world.provider.offered.map(offer => ({ ...offer, hourly: 0, accelerators: { T4: 2 } }));
  world.provider.offered.splice(0, 2, ...offers);
  return world;
}

const made = (world: TestWorld, name: string, nodes = 1) => Create.create(world, ADA, clusterRequest({ name, nodes }));

describe("what is alive", () => {
  test("is counted, also where it costs nothing; what is too much is refused with what to do, and changes nothing", async () => {
    const world = free();
    await change(world, ADMIN, { hosts: 3 });
    await made(world, "one", 2);
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 2, gpus: 4 });
    const before = world.changes.length;
    await expect(made(world, "two", 2)).rejects.toMatchObject({
      code: "quota_exceeded",
      message: "the workspace has 2 of the 3 hosts that it may have at a time; that would be 2 more",
      details: { quota: "hosts", used: 2, limit: 3, hint: expect.stringContaining("muster quota --hosts 4") },
    });
    expect(world.changes.length).toBe(before);
    expect(await of(world, "hosts")).toMatchObject({ used: 2, limit: 3, default: 2000 });
    await change(world, ADMIN, { hosts: null });
    await made(world, "two", 50);
    expect(await alive(world)).toEqual({ clusters: 2, hosts: 52, gpus: 104 });
  });

  test.each([
    ["clusters", 3, 1],
    ["hosts", 6, 2],
    ["gpus", 12, 2],
  ] as const)("of twenty at once as many begin as the quota of %s allows", async (quota, limit, nodes) => {
    const world = free();
    await change(world, ADMIN, { [quota]: limit });
    const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
    const codes = await Promise.all(names.map(name => code(made(world, name, nodes))));
    expect(codes.filter(one => one === "nothing")).toHaveLength(3);
    expect(codes.filter(one => one === "quota_exceeded" || one === "busy")).toHaveLength(17);
    expect(await of(world, quota)).toMatchObject({ used: limit, limit });
  });

  test("is another count in another workspace", async () => {
    const world = free();
    for (const actor of [ADMIN, EVE]) await change(world, actor, { clusters: 1 });
    await made(world, "one");
    await Create.create(world, EVE, clusterRequest({ name: "one" }));
    expect(await code(made(world, "two"))).toBe("quota_exceeded");
  });

  test("leaves the count when it stops, but for the cluster; comes back when it starts; and ends once", async () => {
    const world = free();
    const { id } = await stoppedCluster(world);
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 0, gpus: 0 });
    await change(world, ADMIN, { hosts: 0 });
    expect(await code(Change.start(world, ADA, id))).toBe("quota_exceeded");
    await change(world, ADMIN, { hosts: 1 });
    await Change.start(world, ADA, id);
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 1, gpus: 2 });
    await reconcile(world, ref(id));
    await enrollAll(world);
    for (let twice = 0; twice < 2; twice++) await Change.remove(world, ADA, id);
    await passing(world, 2);
    for (let twice = 0; twice < 2; twice++) await reconcile(world, ref(id));
    expect(await alive(world)).toEqual({ clusters: 0, hosts: 0, gpus: 0 });
    expect(await world.table.get(Keys.holds(ADA.workspace, id))).toBeUndefined();
  });

  test("grows only as far as there is room", async () => {
    const world = free();
    await readyCluster(world);
    await change(world, ADMIN, { gpus: 4 });
    expect(await code(Create.create(world, ADA, clusterRequest({ nodes: 3 })))).toBe("quota_exceeded");
    await Create.create(world, ADA, clusterRequest({ nodes: 2 }));
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 2, gpus: 4 });
  });

  test("that was made before there were counts gives nothing back that it never took, and counts when it starts again", async () => {
    const world = free();
    const { id } = await readyCluster(world, { idle: "never" });
    await asBefore(world, id);
    await Change.stop(world, ADA, id);
    await reconcile(world, ref(id));
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 0, gpus: 0 });
    await Change.start(world, ADA, id);
    expect(await alive(world)).toEqual({ clusters: 1, hosts: 1, gpus: 2 });
    const other = await made(world, "other");
    await asBefore(world, other.id);
    await Change.remove(world, ADA, other.id);
    await passing(world, 2);
    expect((await alive(world))?.clusters ?? 0).toBe(0);
  });
});

/** Neither the cluster nor the workspace has a count. */
async function asBefore(world: TestWorld, id: string): Promise<void> {
  const item = await world.table.get(Keys.holds(ADA.workspace, id));
  const budget = await world.table.get(Keys.budget(ADA.workspace));
  if (!item || !budget) throw new Error("there is no count");
  const { held: _, ...data } = budget.data;
  await world.table.write([
    { remove: item, expect: item.version },
    { put: { ...budget, data }, expect: budget.version },
  ]);
}

interface List {
  readonly quota: Quota;
  set(world: TestWorld, name: string): Promise<unknown>;
}

const lists: readonly List[] = [
  { quota: "secrets", set: (world, name) => setSecret(world, ADA, name, { value: "v" }) },
  { quota: "targets", set: (world, name) => setTarget(world, ADA, name, Target.Change.parse({ provider: "fake" })) },
  { quota: "schedules", set: (world, name) => setSchedule(world, ADA, name, scheduleRequest()) },
  { quota: "pools", set: (world, name) => setPool(world, ADA, name, poolRequest({ size: 0 })) },
];

describe.each(lists)("a list of $quota", ({ quota, set }) => {
  test("takes as many as the quota allows, also at once; what is there may be set anew", async () => {
    const world = testWorld();
    await change(world, ADMIN, { [quota]: 3 });
    await set(world, "N0");
    const codes = await Promise.all(Array.from({ length: 10 }, (_, n) => code(set(world, `M${n}`))));
    expect(codes.filter(one => one === "nothing")).toHaveLength(2);
    expect(codes.filter(one => one === "quota_exceeded" || one === "busy")).toHaveLength(8);
    expect(await of(world, quota)).toMatchObject({ used: 3, limit: 3 });
    expect(await code(set(world, "N0"))).toBe("nothing");
    await expect(set(world, "N1")).rejects.toMatchObject({
      details: { quota, used: 3, hint: expect.stringContaining(`muster quota --${quota} 4`) },
    });
  });

  test("counts what was set before there were counts", async () => {
    const world = testWorld();
    for (const name of ["A", "B"]) await set(world, name);
    const item = await world.table.get(Keys.tally(ADA.workspace, quota));
    if (item) await world.table.write([{ remove: item, expect: item.version }]);
    await change(world, ADMIN, { [quota]: 2 });
    expect(await code(set(world, "C"))).toBe("quota_exceeded");
  });
});

test("what is removed makes room, though nothing is written of it in the count", async () => {
  const world = testWorld();
  await change(world, ADMIN, { secrets: 1, targets: 1 });
  for (let round = 0; round < 3; round++) {
    await setSecret(world, ADA, `S${round}`, { value: "v" });
    await setTarget(world, ADA, `t${round}`, Target.Change.parse({ provider: "fake" }));
    expect(await code(setSecret(world, ADA, "MORE", { value: "v" }))).toBe("quota_exceeded");
    await removeSecret(world, ADA, `S${round}`);
    await removeTarget(world, ADA, `t${round}`);
  }
});

test("images are counted until they are removed", async () => {
  const world = testWorld();
  imagable(world.provider);
  await stoppedCluster(world);
  await change(world, ADMIN, { images: 1 });
  await save(world, ADA, { cluster: "demo", name: "base" });
  expect(await code(save(world, ADA, { cluster: "demo", name: "other" }))).toBe("quota_exceeded");
});

test("quotas are set apart from each other, and what is set tells who did it", async () => {
  const world = testWorld();
  await change(world, ADMIN, { hosts: 5 });
  await change(world, ADMIN, { clusters: null });
  expect(await of(world, "hosts")).toMatchObject({ limit: 5 });
  expect(await of(world, "clusters")).not.toHaveProperty("limit");
  const { items } = await world.table.query({ pk: Keys.budget(ADA.workspace).pk, prefix: "E#" });
  expect(items.map(({ data }) => [data.kind, data.actor, data.details])).toEqual([
    ["quota.set", ADA.id, { hosts: 5 }],
    ["quota.set", ADA.id, { clusters: null }],
  ]);
});
