/** A cloud that is busy gets rest. Ran against core on SQLite in memory, with a provider of ours. */
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
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

test("a write that loses again and again is left to the next look", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, clusterRequest());
  let writes = 0;
  const { table } = world;
  const busy = {
    ...world,
    table: {
      ...table,
      write: async () => {
        writes++;
        throw new MusterError("busy", "not now");
      },
    },
  };
  await reconcile(busy, ref(id));
  expect(writes).toBe(3);
});
