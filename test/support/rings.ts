/** The doorbell of a test's world: what was committed rings when the test says so, once, twice, or not at all. */
import { answer, ringFor } from "@muster/core/doorbell.ts";
import type { TestWorld } from "./world.ts";

/** Answers everything that was committed, and what that leads to. @param times of each ring; with 0 all are lost */
export async function ringAll(world: TestWorld, times = 1): Promise<void> {
  while (world.changes.length > 0)
    for (const change of world.changes.splice(0)) {
      const ring = ringFor(change);
      for (let time = 0; ring && time < times; time++) await answer(world, ring);
    }
}
