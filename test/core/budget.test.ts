/** What machines may cost, and how long they may live; through the real verbs and reconcilers, on a provider of ours. */
import * as Budget from "@muster/core/budget/change.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, code, MINUTE, passing, ref } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const priced = (hourly: number): TestWorld => {
  const world = testWorld();
  world.provider.offered.splice(0, 2, ...world.provider.offered.map((offer, n) => ({ ...offer, hourly: hourly + n })));
  return world;
};
const taken = async (world: TestWorld) => (await Budget.get(world, ADA)).hourly.taken;
const ready = async (world: TestWorld, name: string, nodes = 1) => {
  const { id } = await Create.create(world, ADA, clusterRequest({ name, nodes }));
  await reconcile(world, ref(id));
  await enrollAll(world);
  return id;
};

describe("a budget", () => {
  test("takes what hosts cost, refuses what is too much with what to do, and changes nothing then", async () => {
    const world = priced(3);
    await Create.create(world, ADA, clusterRequest({ name: "one", nodes: 2 }));
    expect(await taken(world)).toBe(6);
    const before = world.changes.length;
    const refused = Create.create(world, ADA, clusterRequest({ name: "two", nodes: 2 }));
    await expect(refused).rejects.toMatchObject({
      code: "over_budget",
      message: "that would cost $6.00 per hour; $4.00 of the $10.00 per hour of usr_ada are left",
      details: { hint: expect.stringContaining("muster budget --user usr_ada --hourly 12") },
    });
    expect(world.changes.length).toBe(before);
    await Budget.change(world, { ...ADA, role: "admin" }, { each: 12 });
    await Create.create(world, ADA, clusterRequest({ name: "two", nodes: 2 }));
    expect(await taken(world)).toBe(12);
  });

  test("of twenty requests at once as many are let in as it pays for", async () => {
    const world = priced(3);
    const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
    const codes = await Promise.all(names.map(name => code(Create.create(world, ADA, clusterRequest({ name })))));
    expect(codes.filter(one => one === "nothing")).toHaveLength(3);
    expect(codes.filter(one => one === "over_budget" || one === "busy")).toHaveLength(17);
    expect(await taken(world)).toBe(9);
  });

  test("is another one in another workspace", async () => {
    const world = priced(9);
    await Create.create(world, ADA, clusterRequest({ name: "one" }));
    await Create.create(world, EVE, clusterRequest({ name: "one" }));
    expect(await taken(world)).toBe(9);
  });

  test("gets back what a cluster took, when it is gone, and while it is stopped", async () => {
    const world = priced(4);
    const id = await ready(world, "one");
    await Change.stop(world, ADA, id);
    await reconcile(world, ref(id));
    expect([(await get(world, ADA, id)).state, await taken(world)]).toEqual(["stopped", 0]);
    await ready(world, "two", 2);
    expect(await taken(world)).toBe(8);
    expect(await code(Change.start(world, ADA, id))).toBe("over_budget");
    await Change.remove(world, ADA, "two");
    await passing(world, 2);
    expect(await taken(world)).toBe(0);
    await Change.start(world, ADA, id);
    expect(await taken(world)).toBe(4);
  });

  test("pays for the offer that was found in the end; one that is too dear fails the cluster", async () => {
    const world = priced(3);
    world.provider.full.add("small");
    await ready(world, "one");
    expect(await taken(world)).toBe(4);
    const { id } = await Create.create(world, ADA, clusterRequest({ name: "two", nodes: 2 }));
    await reconcile(world, ref(id));
    await passing(world, 1);
    expect(await get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "over_budget" } });
    expect([await taken(world), world.provider.machines.size]).toEqual([4, 1]);
  });
});

describe("a lifetime", () => {
  test("ends a cluster in whatever state, and no earlier", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest({ maxLifetime: 60, idle: "never" }));
    await reconcile(world, ref(id));
    await enrollAll(world);
    await passing(world, 59);
    expect((await get(world, ADA, id)).state).toBe("ready");
    world.clock.pass(MINUTE);
    await sweepDue(world);
    await passing(world, 2);
    expect((await get(world, ADA, id)).state).toBe("terminated");
    expect(world.provider.machines.size).toBe(0);
  });

  test("ends a stopped cluster that its policy would keep", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest({ maxLifetime: 60, idle: "never" }));
    await reconcile(world, ref(id));
    await enrollAll(world);
    await Change.stop(world, ADA, id);
    await passing(world, 59);
    expect((await get(world, ADA, id)).state).toBe("stopped");
    await passing(world, 3);
    expect((await get(world, ADA, id)).state).toBe("terminated");
  });
});
