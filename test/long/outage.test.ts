/**
 * What a control plane that is away does to what runs: nothing. What is real and what is simulated, says outage.ts.
 * MUSTER_TEST_RUNS says how many seeds, in place of 100.
 */
import { expect, test } from "vitest";
import { outage } from "../support/outage.ts";

const SEEDS = Number(process.env.MUSTER_TEST_RUNS ?? 100);

test(`half an hour without a control plane: jobs run on, nothing is ended, nothing is replaced after it: ${SEEDS} seeds`, {
  timeout: 120_000 + SEEDS * 2_000,
}, async () => {
  const sum = { ranOn: 0, ended: 0 };
  for (let seed = 0; seed < SEEDS; seed++) {
    const { ranOn, ended, amiss } = await outage(seed);
    expect(amiss, `seed ${seed}`).toEqual([]);
    sum.ranOn += ranOn;
    sum.ended += ended;
  }
  // Both kinds.
  expect(sum.ended).toBeGreaterThan(SEEDS / 4);
  expect(sum.ranOn).toBeGreaterThan(SEEDS / 4);
});
