/**
 * A small run of the simulation (`npm run sim` is the large one), against core as it is: simulated ports, a simulated
 * cloud and a model of the agent, so it proves nothing about AWS or the real agent.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { unmet } from "../simulation/coverage.ts";
import type { Sum } from "../simulation/hunt.ts";
import { hunt } from "../simulation/parent.ts";

const STEPS = 1_000;
const SEEDS = 100;

const search = (from: number, count: number, steps: number, bug?: string): Promise<Sum> =>
  hunt({ from, count, steps, stopsAtFirst: bug !== undefined }, 2, bug, () => undefined);

describe(`${SEEDS} seeds of ${STEPS} steps`, () => {
  let sum: Sum;
  beforeAll(async () => {
    sum = await search(0, SEEDS, STEPS);
  });

  test("keep every invariant", () => {
    expect(sum.failures).toEqual([]);
    expect(sum.runs).toBe(SEEDS);
  });

  test("meet every kind of fault", () => {
    expect(unmet(sum)).toEqual([]);
    expect(unmet({ ...sum, hits: { ...sum.hits, stall: 0 } })).toMatchObject([{ fault: "stall", hits: 0 }]);
  });

  test("bring clusters and jobs to every kind of end", () => {
    expect(sum.nouns).toMatchObject({
      "cluster.terminated": expect.any(Number),
      "cluster.failed": expect.any(Number),
      "job.succeeded": expect.any(Number),
      "job.failed": expect.any(Number),
      "job.cancelled": expect.any(Number),
      "job.timed_out": expect.any(Number),
    });
  });
});

test("a seed has one trace, and another seed another", async () => {
  const [once, twice, other] = [await search(7, 2, STEPS), await search(7, 2, STEPS), await search(9, 2, STEPS)];
  expect(twice.hash).toBe(once.hash);
  expect(other.hash).not.toBe(once.hash);
});
