/** The bucket of launch calls when several come at once: on SQLite in memory. */
import { take } from "@muster/core/capacity/throttle.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import { testWorld } from "../support/world.ts";

const provider = { name: "fake", capabilities: { launches: { burst: 4, perSecond: 2 } } };
const ask = (world: Parameters<typeof take>[0], workspace: string) => take(world, provider, { workspace, calls: 1 });

test("whoever loses a race for a token looks again at once, and has the next one", async () => {
  const { table, clock } = testWorld();
  const asked = ["a", "b", "c", "d", "e"].map(workspace => ask({ table, clock }, workspace));
  const waits = (await Promise.all(asked)).toSorted((a, b) => a - b);
  expect(waits).toEqual([0, 0, 0, 0, 500]);
});

test("whoever loses again and again waits for a second", async () => {
  const { table, clock } = testWorld();
  let raced = 0;
  const write: Table["write"] = async writes => {
    // Somebody else is always faster.
    raced++;
    await ask({ table, clock }, `other${raced}`);
    await table.write(writes);
  };
  clock.pass(1_000);
  const slow = { name: "fake", capabilities: { launches: { burst: 100, perSecond: 2 } } };
  expect(await take({ table: { ...table, write }, clock }, slow, { workspace: "a", calls: 1 })).toBe(1_000);
  expect(raced).toBeLessThan(10);
});

test("clocks that are apart make no tokens", async () => {
  const { table, clock } = testWorld();
  const ahead = { now: () => clock.now() + 2_000 };
  let had = 0;
  for (let n = 0; n < 100; n++) {
    if ((await ask({ table, clock: n % 2 === 0 ? clock : ahead }, "a")) === 0) had++;
    clock.pass(10);
  }
  // A full bucket, and two for each second that has passed by either clock.
  expect(had).toBeLessThanOrEqual(4 + 2 * 3);
  expect(had).toBeGreaterThanOrEqual(6);
});
