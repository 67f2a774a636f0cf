/** The values of runs, and what a task may say of them: pure functions and the schema. */
import { valuesOf } from "@muster/core/array/values.ts";
import { countOf, type Parameter, Sweep, type Sweep as SweepType } from "@muster/core/task/sweep.ts";
import { Task } from "@muster/core/task/task.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

const CASES = { numRuns: 10_000 };
const random = (params: Record<string, Parameter>, seed = 0): SweepType => ({ type: "random", params, seed });
const one = (parameter: Parameter, seed: number, index: number): string =>
  valuesOf(random({ p: parameter }, seed), index).p ?? "";

const seed = fc.nat(2 ** 31);
const index = fc.nat(99_999);
const pair = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
const positive = fc
  .tuple(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), fc.double({ min: 1e-300, max: 1e300, noNaN: true }))
  .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
const whole = fc
  .tuple(fc.maxSafeInteger(), fc.maxSafeInteger())
  .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);

const isWithin = ([low, high]: readonly [number, number], text: string): boolean =>
  Number(text) >= low && Number(text) <= high && text === JSON.stringify(Number(text));

test("uniform values are in their range, and written as JSON writes numbers", () => {
  fc.assert(
    fc.property(pair, seed, index, (uniform, s, i) => isWithin(uniform, one({ uniform }, s, i))),
    CASES,
  );
});

test("log-uniform values are in their range", () => {
  fc.assert(
    fc.property(positive, seed, index, (logUniform, s, i) => isWithin(logUniform, one({ logUniform }, s, i))),
    CASES,
  );
});

test("integers are whole, and in their range", () => {
  fc.assert(
    fc.property(whole, seed, index, (integer, s, i) => {
      const text = one({ integer }, s, i);
      return isWithin(integer, text) && Number.isSafeInteger(Number(text));
    }),
    CASES,
  );
});

test("the ends of a range of integers are drawn as often as what is between them", () => {
  const found = Map.groupBy([...Array(12_000).keys()], i => one({ integer: [-1, 2] }, 7, i));
  expect([...found.keys()].toSorted()).toEqual(["-1", "0", "1", "2"]);
  for (const draws of found.values()) expect(Math.abs(draws.length - 3000)).toBeLessThan(250);
});

test("normal values are finite numbers, whatever their mean and deviation", () => {
  const mean = fc.double({ noNaN: true, noDefaultInfinity: true });
  const deviation = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(mean, deviation, fc.boolean(), seed, index, (m, d, isLog, s, i) => {
      const value = Number(one(isLog ? { logNormal: [m, d] } : { normal: [m, d] }, s, i));
      return Number.isFinite(value) && (!isLog || value >= 0);
    }),
    CASES,
  );
});

test("their mean and deviation are those that were asked for", () => {
  const values = [...Array(20_000).keys()].map(i => Number(one({ normal: [3, 2] }, 1, i)));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean - 3)).toBeLessThan(0.06);
  expect(Math.abs(Math.sqrt(variance) - 2)).toBeLessThan(0.05);
});

test("the same seed, index and name give the same value, whatever other parameters there are", () => {
  fc.assert(
    fc.property(pair, seed, index, (uniform, s, i) => {
      const alone = valuesOf(random({ lr: { uniform } }, s), i);
      const among = valuesOf(random({ first: { integer: [0, 9] }, lr: { uniform }, last: { values: ["a"] } }, s), i);
      return alone.lr === among.lr;
    }),
    CASES,
  );
});

test("other indices, names and seeds give other values", () => {
  fc.assert(
    fc.property(seed, index, (s, i) => {
      const uniform = { uniform: [0, 1] as [number, number] };
      const here = valuesOf(random({ a: uniform, b: uniform }, s), i);
      const values = [here.a, here.b, one(uniform, s, i + 1), one(uniform, s + 1, i), one(uniform, s, i)];
      return new Set(values).size === values.length;
    }),
    CASES,
  );
});

test("a choice is one of its values, and each is chosen", () => {
  const values = ["adam", 0.5, true];
  const found = new Set([...Array(200).keys()].map(i => one({ values }, 3, i)));
  expect([...found].toSorted()).toEqual(["0.5", "adam", "true"]);
});

test("a grid is every combination once, the last parameter fastest", () => {
  const sweep = Sweep.parse({
    type: "grid",
    params: { lr: { values: [0.1, 0.01] }, opt: { values: ["sgd", "adam", "x y"] } },
  });
  expect(countOf({ sweep })).toBe(6);
  expect([...Array(6).keys()].map(i => Object.values(valuesOf(sweep, i)).join(" "))).toEqual([
    "0.1 sgd",
    "0.1 adam",
    "0.1 x y",
    "0.01 sgd",
    "0.01 adam",
    "0.01 x y",
  ]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }), lengths => {
      const params = Object.fromEntries(lengths.map((n, i) => [`p${i}`, { values: [...Array(n).keys()] }]));
      const grid: SweepType = { type: "grid", params, seed: 0 };
      const all = [...Array(countOf({ sweep: grid })).keys()].map(i => JSON.stringify(valuesOf(grid, i)));
      return new Set(all).size === lengths.reduce((product, n) => product * n, 1);
    }),
    { numRuns: 1000 },
  );
});

const refusal = (runs: unknown): string => {
  const parsed = Task.safeParse({ run: "true", runs });
  return parsed.success ? "" : `${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`;
};
const wide = (parameters: number, values: number) =>
  Object.fromEntries([...Array(parameters).keys()].map(i => [`p${i}`, { values: [...Array(values).keys()] }]));

test.each([
  [{ count: 1e9 }, "runs.count: Too big: expected number to be <=100000"],
  [{ count: 0 }, "runs.count: Too small: expected number to be >=1"],
  [{ count: 1.5 }, "runs.count: Invalid input: expected int, received number"],
  [{ count: Number.NaN }, "runs.count: Invalid input: expected number, received NaN"],
  [{ count: 5, concurrent: 0 }, "runs.concurrent: Too small: expected number to be >=1"],
  [{ count: 5, concurrent: -1 }, "runs.concurrent: Too small: expected number to be >=1"],
  [{}, "runs.count: say how many runs there are to be"],
  [{ concurrent: 2 }, "runs.count: say how many runs there are to be"],
  [{ sweep: { type: "random", params: { lr: { uniform: [0, 1] } } } }, "runs.count: say how many runs there are to be"],
  [{ sweep: { type: "grid", params: {} } }, "runs.sweep.params: at least one parameter"],
  [
    { sweep: { type: "grid", params: { lr: { uniform: [0, 1] } } } },
    "runs.sweep.params.lr: a grid tries every value of a list: give its values, or say type: random",
  ],
  [
    { count: 5, sweep: { type: "grid", params: wide(2, 2) } },
    "runs.count: the sweep has 4 combinations: no more runs than that",
  ],
  [
    { sweep: { type: "grid", params: wide(2, 1000) } },
    "runs.sweep.params: they make 1000000 combinations; 100000 at most, or say count",
  ],
  [
    { sweep: { type: "grid", params: wide(50, 2) } },
    "runs.sweep.params: they make 1125899906842624 combinations; 100000 at most, or say count",
  ],
])("bad input %# is refused at once, with its path", (runs, message) => {
  const began = performance.now();
  expect(refusal(runs)).toBe(message);
  expect(performance.now() - began).toBeLessThan(200);
});

test.each([
  ["uniform", [1, 0]],
  ["uniform", [0, Number.POSITIVE_INFINITY]],
  ["uniform", [Number.NaN, 1]],
  ["logUniform", [0, 1]],
  ["integer", [0.5, 2]],
  ["normal", [0, 0]],
  ["values", []],
])("a parameter that nothing can be drawn from is refused: %s %j", (kind, value) => {
  expect(refusal({ count: 2, sweep: { type: "random", params: { lr: { [kind]: value } } } })).toMatch(
    /^runs\.sweep\.params\.lr/,
  );
});

test.each(["MUSTER_RUN_INDEX", "MUSTER_NUM_RUNS", "MUSTER_ARRAY_ID", "LD_PRELOAD", "1st"])(
  "%s is no parameter's name",
  name => {
    expect(refusal({ count: 2, sweep: { type: "random", params: { [name]: { values: [1] } } } })).not.toBe("");
  },
);
