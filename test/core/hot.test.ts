/** A cloud that is busy gets rest. Ran against core on SQLite in memory, with a provider of ours. */
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import { clusterRequest, passing, ref, stateOf } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

test("a provider that is busy is asked a few times at once, and again with the next look", async () => {
  const world = testWorld();
  const { launch } = world.provider;
  let calls = 0;
  world.provider.launch = async () => {
    calls++;
    throw new MusterError("busy", "not now");
  };
  const { id } = await Create.create(world, ADA, clusterRequest());
  await reconcile(world, ref(id));
  expect(calls).toBeLessThanOrEqual(3);
  world.provider.launch = launch.bind(world.provider);
  await passing(world, 2);
  expect(await stateOf(world, id)).toBe("booting");
});

test.each([
  { why: "somebody else was first", error: new WriteConflict([]), most: 3 },
  { why: "the table is busy", error: new MusterError("busy", "not now"), most: 2 },
])("a write that comes to nothing again and again, as $why, is left to the next look", async ({ error, most }) => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, clusterRequest());
  let writes = 0;
  const write = async () => {
    writes++;
    throw error;
  };
  await reconcile({ ...world, table: { ...world.table, write } }, ref(id));
  expect(writes).toBe(most);
});
