/** Ceilings per month and user, alerts on the way there, and requests at once; through the real verbs, on a provider of ours. */
import * as Budget from "@muster/core/budget/change.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { HOUR } from "@muster/core/cost/amount.ts";
import { eventsOf } from "@muster/core/event/read.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { clusterRequest, code, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const BEN = { workspace: "acme", id: "usr_ben", role: "member" } as const;

function priced(hourly: number): TestWorld {
  const world = testWorld();
  world.provider.offered.splice(0, 2, ...world.provider.offered.map(offer => ({ ...offer, hourly })));
  return world;
}

const taken = async (world: TestWorld, user?: string) => (await Budget.get(world, ADA, user)).hourly.taken;
const create = (world: TestWorld, actor: typeof ADA | typeof BEN, name: string) =>
  Create.create(world, actor, clusterRequest({ name, idle: "never" }));
/** What the control plane itself has told of the ceilings. */
const told = async (world: TestWorld) => {
  const { items } = await eventsOf(world, Keys.budget("acme"), { limit: 100 });
  const own = items.filter(({ kind }) => kind !== "budget.set");
  return own.map(({ kind, at, details }) => [kind, new Date(at).toISOString().slice(0, 13), details?.percent]);
};

describe("each user's ceiling", () => {
  test("is $10 per hour to begin with, and nobody else's", async () => {
    const world = priced(6);
    await create(world, ADA, "one");
    await expect(create(world, ADA, "two")).rejects.toMatchObject({
      code: "over_budget",
      details: { ceiling: "user_hourly", left: 4 },
    });
    await create(world, BEN, "bens");
    expect([await taken(world), await taken(world, ADA.id), await taken(world, BEN.id)]).toEqual([12, 6, 6]);
  });

  test("is their own where an admin says so, and the workspace's holds beside it", async () => {
    const world = priced(6);
    await Budget.change(world, ADMIN, { user: ADA.id, hourly: 100 });
    await Budget.change(world, ADMIN, { hourly: 13 });
    await create(world, ADA, "one");
    await create(world, ADA, "two");
    expect(await code(create(world, BEN, "bens"))).toBe("over_budget");
    await expect(create(world, BEN, "bens")).rejects.toMatchObject({
      details: { ceiling: "workspace_hourly", left: 1 },
    });
    await Budget.change(world, ADMIN, { hourly: null, each: 5 });
    await expect(create(world, BEN, "bens")).rejects.toMatchObject({ details: { ceiling: "user_hourly", left: 5 } });
  });
});

describe("a month's ceiling", () => {
  test("counts what is spent, and an hour of what runs and is asked for", async () => {
    const world = priced(4);
    await Budget.change(world, ADMIN, { monthly: 20 });
    await readyCluster(world, { idle: "never" });
    await create(world, ADA, "two");
    world.clock.pass(3 * HOUR - 1000);
    // 12 spent by the first, and 8 for an hour of both, are as much as there is.
    expect(await code(create(world, BEN, "three"))).toBe("over_budget");
    await expect(create(world, BEN, "three")).rejects.toMatchObject({
      message: expect.stringContaining("$0.00 of the $20.00 of the workspace for 2026-01 are left"),
      details: { ceiling: "workspace_monthly", hint: expect.stringContaining("muster budget --monthly 24") },
    });
    await Change.remove(world, ADA, "two");
    await passing(world, 2);
    await Change.remove(world, ADA, "demo");
    await passing(world, 2);
    await create(world, BEN, "three");
  });

  test("begins anew with the month, in a leap year too", async () => {
    const world = priced(4);
    world.clock.pass(Date.UTC(2028, 1, 29, 20) - world.clock.now());
    await Budget.change(world, ADMIN, { monthly: 18 });
    await readyCluster(world, { idle: "never" });
    world.clock.pass(4 * HOUR - 1);
    expect(await code(create(world, BEN, "two"))).toBe("over_budget");
    world.clock.pass(1);
    expect(await code(create(world, BEN, "two"))).toBe("nothing");
    expect((await Budget.get(world, ADA)).monthly).toMatchObject({ month: "2028-03", spent: 0 });
  });

  test("is one of a user's where an admin says so", async () => {
    const world = priced(4);
    await Budget.change(world, ADMIN, { user: ADA.id, monthly: 3 });
    await expect(create(world, ADA, "one")).rejects.toMatchObject({ details: { ceiling: "user_monthly", left: 3 } });
    expect(await code(create(world, BEN, "one"))).toBe("nothing");
  });
});

describe("alerts", () => {
  test("come at half of it, at four fifths and at all of it, each once a month, when they are due", async () => {
    const world = priced(1);
    await Budget.change(world, ADMIN, { monthly: 10 });
    await readyCluster(world, { idle: "never" });
    for (let hour = 0; hour < 24; hour++) {
      world.clock.pass(HOUR);
      await sweepDue(world);
      await sweepDue(world);
    }
    expect(await told(world)).toEqual([
      ["budget.alert", "2026-01-01T05", 50],
      ["budget.alert", "2026-01-01T08", 80],
      ["budget.spent", "2026-01-01T10", 100],
    ]);
    world.clock.pass(Date.UTC(2026, 1, 1, 5) - world.clock.now());
    await sweepDue(world);
    expect((await told(world)).slice(3)).toEqual([["budget.alert", "2026-02-01T05", 50]]);
  });

  test("nothing is written before one is due", async () => {
    const world = priced(1);
    await Budget.change(world, ADMIN, { monthly: 10 });
    const { id } = await readyCluster(world, { idle: "never" });
    world.clock.pass(5 * HOUR - 60_000);
    await reconcile(world, ref(id));
    const before = world.changes.filter(change => "item" in change && change.item.type === "budget").length;
    await sweepDue(world);
    expect(world.changes.filter(change => "item" in change && change.item.type === "budget").length).toBe(before);
  });
});

describe("at once", () => {
  test("launches of two users never pass the workspace's ceiling together", async () => {
    const world = priced(3);
    await Budget.change(world, ADMIN, { hourly: 10, each: null });
    const all = Array.from({ length: 16 }, (_, n) => create(world, n % 2 ? ADA : BEN, `c${n}`));
    const codes = await Promise.all(all.map(code));
    expect(codes.filter(one => one === "nothing")).toHaveLength(3);
    expect(await taken(world)).toBe(9);
    expect((await taken(world, ADA.id)) + (await taken(world, BEN.id))).toBe(9);
  });

  test("what a cluster took is given back once, however many see to its end", async () => {
    const world = priced(3);
    const { id } = await readyCluster(world, { idle: "never" });
    await create(world, ADA, "other");
    await Change.remove(world, ADA, id);
    await Promise.all(Array.from({ length: 8 }, () => reconcile(world, ref(id))));
    expect((await get(world, ADA, id)).state).toBe("terminated");
    expect([await taken(world), await taken(world, ADA.id)]).toEqual([3, 3]);
    expect((await Budget.get(world, ADA)).monthly.spent).toBe(0.05);
  });
});
