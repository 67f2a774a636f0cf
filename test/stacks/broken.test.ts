/**
 * The laws themselves: the real stacks with one fact broken each, run as in stacks.test.ts, and the laws that see it. A law
 * that cannot be broken proves nothing.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breaks } from "./broken/breaks.ts";
import { type Built, built, load } from "./harness/load.ts";
import { stages } from "./harness/stages.ts";
import { type Law, View } from "./harness/view.ts";
import { laws } from "./laws/laws.ts";

const config = join(import.meta.dirname, "broken/sst.config.ts");

const { stage, env, given } = stages.full;

// What is broken is chosen when the program runs: it is the same one each time.
let program: Built;
beforeAll(async () => {
  program = await built({ stage, config, env });
});
afterAll(() => program[Symbol.dispose]());

/** A law that cannot find what it asks about complains too. */
const complains = (law: Law, view: View): boolean => {
  try {
    return law(view).length > 0;
  } catch {
    return true;
  }
};

describe("what is broken is seen, by the laws that it breaks and by no others", () => {
  test.concurrent.each(Object.entries(breaks))("%s", async (name, broken) => {
    const graph = await load({ stage, config, env: { ...env, MUSTER_BREAK: name }, built: program });
    const view = new View(graph, given);
    expect(graph.errors).toEqual([]);
    const found = Object.entries(laws).filter(([, law]) => complains(law, view));
    expect(found.map(([law]) => law)).toEqual(broken.laws);
  });
});

test("every law has been broken", () => {
  const broken = new Set(Object.values(breaks).flatMap(one => one.laws));
  expect(Object.keys(laws).filter(law => !broken.has(law as keyof typeof laws))).toEqual([]);
});
