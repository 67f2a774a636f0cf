/** Shrinking, against runs that are made up. */
import { expect, test } from "vitest";
import { FAULTS, type Fault } from "./faults.ts";
import { type Run, shrink } from "./shrink.ts";

const amiss = [{ invariant: "I1", message: "something" }];
const found = { steps: 1000, without: [], violations: amiss };

test("keeps the faults without which it does not fail, and as many steps as it needs", async () => {
  const needed: readonly Fault[] = ["stall", "partition"];
  const run: Run = async (steps, without) =>
    steps >= 120 && needed.every(fault => !without.includes(fault)) ? amiss : [];
  const least = await shrink(found, run);
  expect(least.steps).toBe(125);
  expect(FAULTS.filter(fault => !least.without.includes(fault)).toSorted()).toEqual(needed.toSorted());
});

test("fewer steps are tried again once faults are left out", async () => {
  const run: Run = async (steps, without) => (steps >= (without.includes("throttle") ? 60 : 400) ? amiss : []);
  expect((await shrink(found, run)).steps).toBe(62);
});

test("what fails at all fails with the least", async () => {
  const least = await shrink(found, async () => amiss);
  expect(least).toMatchObject({ steps: 7, without: FAULTS });
});
