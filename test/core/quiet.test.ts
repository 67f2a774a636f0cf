/** When a workspace is quiet, on SQLite in memory. */
import * as Change from "@muster/core/cluster/change.ts";
import { isQuiet } from "@muster/core/workspace/quiet.ts";
import { expect, test } from "vitest";
import { MINUTE, passing, readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

test("a workspace is quiet when its clusters have been over for so long", async () => {
  const world = testWorld();
  const quiet = (workspace = "acme") => isQuiet(world, workspace, 60 * MINUTE);
  expect(await quiet()).toBe(true);
  await readyCluster(world, { name: "first" });
  expect([await quiet(), await quiet("elsewhere")]).toEqual([false, true]);
  await Change.remove(world, ADA, "first");
  await passing(world, 2);
  world.clock.pass(30 * MINUTE);
  await readyCluster(world, { name: "second" });
  await Change.remove(world, ADA, "second");
  await passing(world, 1);
  world.clock.pass(40 * MINUTE);
  expect(await quiet()).toBe(false);
  world.clock.pass(30 * MINUTE);
  expect(await quiet()).toBe(true);
});

test("an old cluster that lives keeps it from being quiet, whatever has ended since", async () => {
  const world = testWorld();
  await readyCluster(world, { name: "old", idle: "never" });
  world.clock.pass(24 * 60 * MINUTE);
  await readyCluster(world, { name: "young" });
  await Change.remove(world, ADA, "young");
  await passing(world, 2);
  world.clock.pass(24 * 60 * MINUTE);
  expect(await isQuiet(world, "acme", 60 * MINUTE)).toBe(false);
});
