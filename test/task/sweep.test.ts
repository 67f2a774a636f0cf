/** `runs`, `concurrent` and `sweep`, in a file and in one line. Pure. */
import type { Runs } from "@muster/core/task/sweep.ts";
import { parameterOf } from "@muster/task/distribution.ts";
import { read } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { hparamsOf } from "@muster/task/xt/hparams.ts";
import { expect, test } from "vitest";
import { problems } from "./support.ts";

const firstOf = (text: string): string => {
  const [first] = problems(text);
  return first === undefined ? "" : `${first.path}: ${first.message}`;
};
const runsOf = (text: string): Runs | undefined => read(`${text}\nrun: x\n`).tasks[0]?.task.runs;

test("how many runs there are, and how many at a time", () => {
  expect(runsOf("runs: 10")).toEqual({ count: 10 });
  expect(runsOf("runs: 10\nconcurrent: 2")).toEqual({ count: 10, concurrent: 2 });
  expect(read("runs: 10\nrun: x\n").dialect).toBe("muster");
  expect(runsOf("name: x")).toBeUndefined();
});

test("lists make a grid, in the order in which they are written; each value is as it is", () => {
  expect(runsOf("sweep: { params: { lr: [0.1, 1e-3, .5], opt: adam, big: [true, '8'] } }")).toEqual({
    sweep: {
      type: "grid",
      seed: 0,
      params: { lr: { values: [0.1, "1e-3", 0.5] }, opt: { values: ["adam"] }, big: { values: [true, "8"] } },
    },
  });
});

test("distributions are drawn from, by call or by map", () => {
  const text = `
runs: 20
sweep:
  seed: 7
  params:
    a: uniform(0, 1)
    b: { log_uniform: [1e-5, 0.1] }
    c: loguniform(1e-5, 1e-1)
    d: { normal: [0, 2] }
    e: { integer: [1, 10] }
    f: int(1, 10)
    g: { values: [x, "uniform(0, 1)"] }
    h: choice(adam, sgd)`;
  expect(runsOf(text)).toEqual({
    count: 20,
    sweep: {
      type: "random",
      seed: 7,
      params: {
        a: { uniform: [0, 1] },
        b: { logUniform: [1e-5, 0.1] },
        c: { logUniform: [1e-5, 0.1] },
        d: { normal: [0, 2] },
        e: { integer: [1, 10] },
        f: { integer: [1, 10] },
        g: { values: ["x", "uniform(0, 1)"] },
        h: { values: ["adam", "sgd"] },
      },
    },
  });
});

test("the most runs are no more than there are combinations", () => {
  expect(runsOf("sweep: { max_runs: 3, params: { lr: [1, 2], b: [1, 2] } }")?.count).toBe(3);
  expect(runsOf("sweep: { max_runs: 9, params: { lr: [1, 2], b: [1, 2] } }")?.count).toBe(4);
  expect(runsOf("sweep: { max_runs: 9, type: random, params: { lr: [1, 2] } }")?.count).toBe(9);
});

test.each([
  ["uniform(0,1)", { uniform: [0, 1] }],
  ["$uniform(.01, .03)", { uniform: [0.01, 0.03] }],
  ["$loguniform(-7, 0)", { logUniform: [Math.exp(-7), 1] }],
  ["loguniform(1e-4, 1)", { logUniform: [1e-4, 1] }],
  ["$randint(100)", { integer: [0, 99] }],
  ["randint(1, 6)", { integer: [1, 6] }],
  ["$normal(0, 1)", { normal: [0, 1] }],
  ["log_normal(0, 1)", { logNormal: [0, 1] }],
  ["$linspace(0, 1, 3)", { values: [0, 0.5, 1] }],
  ["$choice(8, 16)", { values: [8, 16] }],
  ["0.1,0.01", { values: [0.1, 0.01] }],
  ["[.01, .03]", { values: [0.01, 0.03] }],
  ["adam, sgd,'1',true", { values: ["adam", "sgd", "1", true] }],
])("%s is understood, with what XT means by a $", (text, parameter) => {
  expect(parameterOf(text)).toEqual(parameter);
});

test.each([
  "$quniform(0, 1, 2)",
  "gauss(0, 1)",
  "uniform(0)",
  "uniform(0, 1, 2)",
  "uniform(a, b)",
  "linspace(0, 1, 1)",
])("%s is refused with what there is", text => {
  expect(parameterOf(text)).toMatchObject({ problem: expect.stringMatching(/^is no(t as| way)/) });
});

test.each([
  ["runs: 0", "runs: must be at least 1"],
  ["runs: 1000000000", "runs: must be 100000 at most, which is Muster's bound"],
  ["runs: .nan", "runs: must be a whole number, and is the number .nan"],
  ["runs: many", "runs: must be a whole number, and is text"],
  ["runs: 4\nconcurrent: 0", "concurrent: must be at least 1"],
  ["concurrent: 4", "concurrent: say how many runs there are to be"],
  [
    "runs: 5\nsweep: { max_runs: 3, params: { a: [1, 2, 3, 4, 5] } }",
    "sweep.max_runs: says the same as runs: keep one of them",
  ],
  ["runs: 5\nsweep: { params: { a: [1, 2] } }", "runs: the sweep has 2 combinations: no more runs than that"],
  [
    "sweep: { type: grid, params: { a: 'uniform(0, 1)' } }",
    "sweep.params.a: a grid tries every value of a list: give its values, or say type: random",
  ],
  ["sweep: { params: { a: 'uniform(0, 1)' } }", "sweep: say how many runs there are to be"],
  [
    "runs: 2\nsweep: { params: { a: 'uniform(1, 0)' } }",
    "sweep.params.a: the first is the lower end, the second the higher",
  ],
  [
    "runs: 2\nsweep: { params: { a: { uniform: [0] } } }",
    "sweep.params.a.uniform: must be a list of two numbers, and is a list",
  ],
  ["sweep: { params: { a: [] } }", "sweep.params.a: must be at least 1"],
  ["sweep: { params: { a: [[1]] } }", "sweep.params.a.0: must be text, a number, true or false, and is a list"],
  ["sweep: { type: bayesian, params: { a: [1] } }", 'sweep.type: must be grid or random, and is "bayesian"'],
  ["sweep: {}", "sweep: says no params: the names of variables, each with its values"],
  ["sweep: { parms: { a: [1] } }", "sweep.parms: is not a key that Muster knows"],
])("%s is refused where it stands", (text, problem) => {
  expect(firstOf(`${text}\nrun: x\n`)).toBe(problem);
});

test("a million combinations are refused at once, and not built", () => {
  const params = [...Array(20).keys()].map(i => `P${i}: [1, 2]`).join(", ");
  const began = performance.now();
  expect(firstOf(`sweep: { params: { ${params} } }\nrun: x\n`)).toMatch("they make 1048576 combinations");
  expect(performance.now() - began).toBeLessThan(500);
});

test("what is written comes back", () => {
  const text = "runs: 20\nconcurrent: 3\nsweep: { seed: 7, params: { a: 'uniform(0, 1)', b: [x, 1, yes] } }";
  const result = read(`${text}\nrun: x\n`);
  expect(read(write(result)).tasks).toEqual(result.tasks);
});

test("a search space of XT's is read as XT means it", () => {
  const file = `
hparams:
  lr: [.01, .03]
  learning-rate: $loguniform(-7, 0)
  batch: $randint(8)
  momentum: "$uniform(0.5, 0.9)"
  optimizer: adam
`;
  expect(hparamsOf(file)).toEqual({
    lr: { values: [0.01, 0.03] },
    learning_rate: { logUniform: [Math.exp(-7), 1] },
    batch: { integer: [0, 7] },
    momentum: { uniform: [0.5, 0.9] },
    optimizer: { values: ["adam"] },
  });
});

test.each([
  ["params: {}", "hparams: is missing: names, each with what it may be"],
  ["hparams: []", "hparams: must be a map, and is a list"],
  ["hparams:\n  a: $qnormal(0, 1, 2)", "hparams.a: is no way to draw values"],
  ["hparams:\n  PATH.x: 1", "hparams.PATH.x: use letters, digits and '_', not starting with a digit"],
  ["hparams:\n  a: {b: 1}", "hparams.a.0: must be text, a number, true or false, and is a map"],
])("a search space that cannot be read is refused where it stands: %j", (file, message) => {
  expect(() => hparamsOf(file)).toThrow(message.slice(message.indexOf(": ") + 2));
});
