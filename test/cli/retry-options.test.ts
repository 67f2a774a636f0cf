/** How often a job is tried, by options over a file, and how its next try is shown. Pure, but for commander. */

import type * as Job from "@muster/core/job/job.ts";
import { describe, expect, test } from "vitest";
import type { Output } from "../../packages/cli/src/output.ts";
import { addRetryOptions, type RetryOptions, retryOf } from "../../packages/cli/src/retry-options.ts";
import * as Shown from "../../packages/cli/src/shown.ts";
import { taskCommand } from "../../packages/cli/src/task-options.ts";

function parse(...argv: string[]): RetryOptions {
  const command = taskCommand("run", "runs", "run x");
  addRetryOptions(command.exitOverride().configureOutput({ writeErr: () => undefined }));
  return command.parse(argv, { from: "user" }).opts();
}

const FILE = { max: 5, on: ["timeout" as const], backoff: 60 };
const LOST = ["interruption", "host_lost"];
const ANY = ["exit_code", "setup_failed", ...LOST];

test.each([
  [undefined, [], undefined],
  [FILE, [], FILE],
  [undefined, ["--retry", "2"], { max: 2, on: LOST, backoff: 10 }],
  [undefined, ["--retry-on", "exit_code, capacity"], { max: 3, on: ["exit_code", "capacity"], backoff: 10 }],
  [undefined, ["--max-attempts", "4"], { max: 3, on: ANY, backoff: 10 }],
  [FILE, ["--max-attempts", "1"], { ...FILE, max: 0 }],
  [FILE, ["--retry", "1", "--retry-on", "host_lost"], { max: 1, on: ["host_lost"], backoff: 60 }],
])("a file that says %j, with %j", (file, argv, said) => {
  expect(retryOf(file, parse(...argv))).toEqual(said);
});

describe("what is refused", () => {
  test.each([
    [["--retry", "-1"]],
    [["--retry", "1001"]],
    [["--max-attempts", "0"]],
    [["--retry-on", "sunshine"]],
    [["--retry-on", ""]],
  ])("%j", argv => {
    expect(() => parse(...argv)).toThrow();
  });

  test("two ways of saying how often", () => {
    expect(() => retryOf(undefined, parse("--retry", "1", "--max-attempts", "2"))).toThrow("say the same");
  });
});

test("a job that will be tried again is shown with the time of that", () => {
  const out = { paint: (_colour: string, text: string) => text } as unknown as Output;
  const job = { id: "job_1", state: "recovering", clusterName: "demo", nodes: 1, createdAt: 0, retryAt: 180_000 };
  expect(Shown.queue(out, [{ job: job as Job.Info }], 60_000)).toContain("recovering, again in 2m");
  expect(Shown.queue(out, [{ job: job as Job.Info }], 200_000)).toContain("recovering, again soon");
});
