/** Many runs on the command line: the options, what they mean with what the file says, and the line of progress. Pure. */

import type { TaskInput } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { planned, progress } from "../../packages/cli/src/runs.ts";
import { addRunsOptions, type RunsOptions, runsOf } from "../../packages/cli/src/runs-options.ts";
import { TaskCommand } from "../../packages/cli/src/task-command.ts";

function said(line: string, runs?: TaskInput["runs"]) {
  const command = addRunsOptions(new TaskCommand("x").exitOverride().configureOutput({ writeErr: () => undefined }));
  command.parse(
    line.split(" ").filter(word => word !== ""),
    { from: "user" },
  );
  return runsOf({ runs }, command.opts<RunsOptions>());
}

test.each([
  ["", {}],
  ["--runs 10", { runs: { count: 10 } }],
  ["--runs 10 --concurrent 2", { runs: { count: 10, concurrent: 2 } }],
  [
    "--sweep lr=0.1,0.01 --sweep opt=adam",
    { runs: { sweep: { type: "grid", seed: 0, params: { lr: { values: [0.1, 0.01] }, opt: { values: ["adam"] } } } } },
  ],
  [
    "--runs 5 --sweep lr=loguniform(1e-5,1e-1)",
    { runs: { count: 5, sweep: { type: "random", seed: 0, params: { lr: { logUniform: [1e-5, 0.1] } } } } },
  ],
  [
    "--sweep lr=1,2 --search-type random --max-runs 8",
    { runs: { count: 8, sweep: { type: "random", seed: 0, params: { lr: { values: [1, 2] } } } } },
  ],
  [
    "--sweep lr=1,2 --max-runs 8",
    { runs: { count: 2, sweep: { type: "grid", seed: 0, params: { lr: { values: [1, 2] } } } } },
  ],
])("%s", (line, meant) => {
  expect(said(line)).toEqual(meant);
});

test("what the command line says stands over what the file says, name by name", () => {
  const params = { lr: { values: [1] }, opt: { values: ["a"] } };
  const file = { count: 3, concurrent: 2, sweep: { type: "random" as const, seed: 7, params } };
  expect(said("--sweep lr=5 --concurrent 1", file)).toEqual({
    runs: {
      count: 3,
      concurrent: 1,
      sweep: { type: "random", seed: 7, params: { lr: { values: [5] }, opt: { values: ["a"] } } },
    },
  });
  expect(said("", file)).toEqual({ runs: file });
});

test.each([
  ["--runs 0", /from 1 to 100000/],
  ["--runs 1000000000", /from 1 to 100000/],
  ["--runs NaN", /from 1 to 100000/],
  ["--concurrent 0 --runs 3", /from 1 to 100000/],
  ["--concurrent 2", /the command line: --runs: say how many runs there are to be/],
  ["--max-runs 2", /are said of a sweep/],
  ["--search-type grid", /are said of a sweep/],
  ["--sweep nowhere.yaml", /cannot be read/],
  ["--sweep lr", /Write NAME=VALUES/],
  ["--sweep 1lr=1", /use letters, digits and '_'/],
  ["--sweep PS4=1", /changes what the shell/],
  ["--sweep lr=quniform(0,1,2)", /is no way to draw values/],
  ["--sweep lr=uniform(0,1)", /--runs: say how many runs there are to be/],
  ["--sweep lr=uniform(0,1) --search-type grid --runs 2", /a grid tries every value of a list/],
  ["--sweep lr=uniform(1,0) --runs 2", /the first is the lower end/],
  ["--sweep lr=constructor(1,2)", /is no way to draw values/],
  ["--sweep __proto__=1,2", /is not a name that may be used/],
  ["--sweep lr=1,2 --runs 3", /the sweep has 2 combinations/],
])("%s is refused", (line, message) => {
  expect(() => said(line)).toThrow(message);
});

test("how far they are, in one line", () => {
  const counts = { count: 100, started: 41, running: 4, succeeded: 36, failed: 1, cancelled: 0, timedOut: 0 };
  expect(progress(counts)).toBe("37 of 100 done, 4 running, 1 failed");
  expect(progress({ ...counts, running: 0, timedOut: 2 })).toBe("39 of 100 done, 1 failed, 2 timed out");
});

test("what is planned, in one line", () => {
  expect(planned(undefined)).toBeUndefined();
  expect(planned({ count: 1 })).toBe("1 run");
  const params = { lr: { values: [1, 2] }, opt: { values: [1, 2, 3] } };
  expect(planned({ concurrent: 2, sweep: { type: "grid", seed: 0, params } })).toBe(
    "6 runs, 2 at a time: every combination of lr, opt",
  );
});
