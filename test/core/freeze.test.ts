/** A frozen workspace: nothing begins, and what runs is stopped; through the real verbs and sweeps, on a provider of ours. */
import * as Budget from "@muster/core/budget/change.ts";
import { freeze, unfreeze } from "@muster/core/budget/freeze.ts";
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import {
  clusterRequest,
  code,
  MINUTE,
  passing,
  readyCluster,
  ref,
  stateOf,
  stoppedCluster,
} from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;
const ALL = { stopAll: true, terminate: false };

/** What costs nothing is frozen as well. */
function free(): TestWorld {
  const world = testWorld();
  world.provider.offered.splice(0, 2, ...world.provider.offered.map(offer => ({ ...offer, hourly: 0 })));
  return world;
}

const ready = async (world: TestWorld, name: string, more = {}) => (await readyCluster(world, { name, ...more })).id;
const frozen = async (world: TestWorld) => (await Budget.get(world, ADA)).frozen;

describe.each([
  ["with a price", testWorld],
  ["without", free],
])("machines %s", (_, worldOf) => {
  test("neither begin, nor start, nor grow; and what runs goes on", async () => {
    const world = worldOf();
    const { id } = await stoppedCluster(world);
    const other = await ready(world, "other");
    await freeze(world, ADMIN, { stopAll: false, terminate: false });
    const launched = launch(world, ADA, Launch.Create.parse({ task: { run: "true" }, cluster: "new" }));
    await expect(launched).rejects.toMatchObject({
      code: "frozen",
      message: "nothing begins any more: usr_root has frozen the workspace at 2026-01-01T00:00:00.000Z",
      details: { by: "usr_root", hint: expect.stringContaining("muster unfreeze") },
    });
    expect(await code(Create.create(world, ADA, clusterRequest({ name: "new" })))).toBe("frozen");
    expect(await code(Change.start(world, ADA, id))).toBe("frozen");
    expect(await code(Create.create(world, ADA, clusterRequest({ name: "other", nodes: 3 })))).toBe("frozen");
    await passing(world, 3);
    expect([await stateOf(world, id), await stateOf(world, other)]).toEqual(["stopped", "ready"]);
    await unfreeze(world, ADMIN);
    expect(await code(Change.start(world, ADA, id))).toBe("nothing");
  });

  test("that were asked for before, and not called for yet, are not called for any more", async () => {
    const world = worldOf();
    const { id } = await Create.create(world, ADA, clusterRequest());
    await freeze(world, ADMIN, { stopAll: false, terminate: false });
    await reconcile(world, ref(id));
    await passing(world, 1);
    expect(await get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "frozen" } });
    expect(world.provider.intents).toEqual([]);
  });

  test("of which a launch is decided while somebody freezes do not begin", async () => {
    const world = worldOf();
    let isFirst = true;
    const table: Table = {
      ...world.table,
      write: async writes => {
        if (isFirst) {
          isFirst = false;
          await freeze(world, ADMIN, { stopAll: false, terminate: false });
        }
        return world.table.write(writes);
      },
    };
    expect(await code(Create.create({ ...world, table }, ADA, clusterRequest()))).toBe("frozen");
  });
});

describe("with everything to stop", () => {
  test("what can be kept is stopped, and what cannot stays until it is to be ended", async () => {
    const world = testWorld();
    const kept = await ready(world, "kept");
    const spot = await ready(world, "spot", { resources: { spot: true }, idle: "never" });
    await freeze(world, ADMIN, ALL);
    await passing(world, 4);
    expect([await stateOf(world, kept), await stateOf(world, spot)]).toEqual(["stopped", "ready"]);
    expect(await frozen(world)).toMatchObject({ by: "usr_root", stop: true, done: true });
    const before = world.changes.length;
    await passing(world, 5);
    expect(world.changes.length).toBe(before);
    await freeze(world, ADMIN, { stopAll: true, terminate: true });
    await passing(world, 4);
    expect([await stateOf(world, kept), await stateOf(world, spot)]).toEqual(["stopped", "terminated"]);
  });

  test.each([0, 2_000])("it is begun at once, also by whoever has a clock that is %i ms behind", async behind => {
    const world = testWorld();
    const id = await ready(world, "demo");
    await ringAll(world);
    await freeze({ ...world, clock: { now: () => world.clock.now() + behind } }, ADMIN, ALL);
    await ringAll(world);
    expect(await stateOf(world, id)).toBe("stopped");
    expect((await frozen(world))?.done).toBe(false);
    await passing(world, 4);
    expect((await frozen(world))?.done).toBe(true);
  });

  test("what is on its way is stopped when it has come there", async () => {
    const world = testWorld();
    const { id } = await Create.create(world, ADA, clusterRequest({ idle: "never" }));
    world.provider.loseAnswer = new MusterError("unavailable", "no answer");
    await code(reconcile(world, ref(id)));
    await freeze(world, ADMIN, ALL);
    await sweepDue(world);
    // Its machines may be there: nobody knows before the call is answered.
    expect([await stateOf(world, id), (await frozen(world))?.done]).toEqual(["launching", false]);
    await passing(world, 4);
    expect([await stateOf(world, id), (await frozen(world))?.done]).toEqual(["stopped", true]);
  });

  test("it is said twice and done once; and whoever lets it go on starts nothing", async () => {
    const world = testWorld();
    const id = await ready(world, "demo");
    await freeze(world, ADMIN, ALL);
    const before = world.changes.length;
    await freeze(world, { ...ADMIN, id: "usr_other" }, ALL);
    expect(world.changes.length).toBe(before);
    await passing(world, 3);
    await unfreeze(world, ADMIN);
    await unfreeze(world, ADMIN);
    await passing(world, 3);
    expect([await stateOf(world, id), await frozen(world)]).toEqual(["stopped", undefined]);
  });

  test("a sweep that is cut off at any write is followed by one that ends it", async () => {
    for (let cut = 1; ; cut++) {
      const world = testWorld();
      const ids = [await ready(world, "one"), await ready(world, "two")];
      await freeze(world, ADMIN, ALL);
      world.clock.pass(MINUTE);
      let writes = 0;
      const write: Table["write"] = async all => {
        if (++writes >= cut) throw new Error("cut off");
        return world.table.write(all);
      };
      await sweepDue({ ...world, table: { ...world.table, write } });
      await passing(world, 4);
      const states = await Promise.all(ids.map(id => stateOf(world, id)));
      expect([cut, ...states, (await frozen(world))?.done]).toEqual([cut, "stopped", "stopped", true]);
      if (writes < cut) return expect(cut).toBeGreaterThan(3);
    }
  });
});
