/** The last lines of a history, however long that is: the real verbs, on SQLite in memory. */
import { events } from "@muster/core/pool/read.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { expect, test } from "vitest";
import { ADA, testWorld } from "../support/world.ts";
import { pooled } from "./pool-support.ts";

test("the latest come first when they are asked for, page by page", async () => {
  const world = testWorld();
  await pooled(world, { size: 0 });
  for (const size of [1, 2, 3]) {
    world.clock.pass(1000);
    await resize(world, ADA, "warm", { size });
  }
  const sizes = ({ items }: Awaited<ReturnType<typeof events>>) => items.map(({ details }) => details?.size);
  const last = await events(world, ADA, "warm", { limit: 2, latest: true });
  expect(sizes(last)).toEqual([3, 2]);
  const before = await events(world, ADA, "warm", { limit: 2, latest: true, cursor: last.cursor });
  expect(sizes(before)).toEqual([1, undefined]);
  expect(sizes(await events(world, ADA, "warm", { limit: 2, latest: false }))).toEqual([undefined, 1]);
});
