/** How often a job is tried, as task files say it. Pure. */
import type { Retry } from "@muster/core/task/retry.ts";
import { write } from "@muster/task/write.ts";
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const retryOf = (text: string): Retry | undefined => read(`${text}\nrun: x\n`).tasks[0]?.task.retry;
const LOST = ["capacity", "interruption", "host_lost"];

describe("what a file says of retries", () => {
  test.each<[string, Retry | undefined]>([
    ["retry: true", { max: 3, on: ["interruption", "host_lost"], backoff: 10 }],
    ["retry: false", undefined],
    ["retry: 5", { max: 5, on: ["interruption", "host_lost"], backoff: 10 }],
    ["retry: {}", { max: 3, on: ["interruption", "host_lost"], backoff: 10 }],
    ["retry: { on: Exit_Code }", { max: 3, on: ["exit_code"], backoff: 10 }],
    ["retry: { on: [timeout, setup_failed], backoff: 2m }", { max: 3, on: ["timeout", "setup_failed"], backoff: 120 }],
    [
      "retry: { exit_codes: [3, 4, 3] }",
      { max: 3, on: ["interruption", "host_lost", "exit_code"], exitCodes: [3, 4], backoff: 10 },
    ],
    ["retry: { on: exit_code, exit_codes: 9 }", { max: 3, on: ["exit_code"], exitCodes: [9], backoff: 10 }],
    ["max_attempts: 4", { max: 3, on: ["exit_code", "setup_failed", "interruption", "host_lost"], backoff: 10 }],
    ["max_attempts: 1\nretry: { on: capacity }", { max: 0, on: ["capacity"], backoff: 10 }],
    ["resources: { job_recovery: none }", undefined],
    ["resources: { job_recovery: { max_restarts_on_errors: 0 } }", { max: 100, on: LOST, backoff: 10 } as Retry],
    ["resources: { spot_recovery: FAILOVER }", { max: 100, on: LOST, backoff: 10 } as Retry],
    [
      "resources: { job_recovery: { strategy: EAGER_NEXT_REGION, max_restarts_on_errors: 3, recover_on_exit_codes: 33 } }",
      { max: 3, on: [...LOST, "exit_code"], backoff: 10 } as Retry,
    ],
    [
      "resources: { job_recovery: { recover_on_exit_codes: [0, 33, 34] } }",
      { max: 100, on: [...LOST, "exit_code"], exitCodes: [33, 34], backoff: 10 } as Retry,
    ],
  ])("%s", (text, retry) => {
    expect(retryOf(text)).toEqual(retry);
  });

  test("what means nothing here is said to mean nothing", () => {
    const text = "resources: { job_recovery: { strategy: FAILOVER, max_restarts_on_errors: 2 } }\n";
    expect(read(text).warnings).toEqual([
      expect.stringContaining("whatever the strategy"),
      expect.stringContaining("counts every try"),
    ]);
    expect(read("resources: { job_recovery: { recover_on_exit_codes: 3 } }\n").warnings).toEqual([]);
  });

  test("how long it may wait is a time of its own", () => {
    expect(read("queue_timeout: 90m\nrun: x\n").tasks[0]?.task.queueTimeout).toBe(5400);
  });
});

test("what is written is read again", () => {
  const text = write(read("run: x\nqueue_timeout: 2h\nretry: { max: 7, exit_codes: [1], backoff: 0 }\n"));
  expect(text).toContain("queue_timeout: 2h\n");
  expect(text).toContain(
    'retry:\n  max: 7\n  "on":\n    - interruption\n    - host_lost\n    - exit_code\n  exit_codes:\n    - 1\n  backoff: 0s\n',
  );
});

describe("what is wrong", () => {
  test.each([
    ["retry: { max: -1 }", "retry.max", "must be at least 0"],
    ["retry: { max: 2000 }", "retry.max", "must be 1000 at most, which is Muster's bound"],
    ["retry: 1.5", "retry", "must be a whole number, and is the number 1.5"],
    ["retry: [a]", "retry", "must be a number, true, false or a map, and is a list"],
    ["retry: { on: sunshine }", "retry.on", /^must be one of capacity/],
    ["retry: { on: [] }", "retry.on", "must be at least 1"],
    ["retry: { exit_codes: [0] }", "retry.exit_codes", "must be at least 1"],
    ["retry: { exit_codes: [256] }", "retry.exit_codes", "must be 255 at most, which is Muster's bound"],
    ["retry: { backoff: 2h }", "retry.backoff", "must be 3600 at most, which is Muster's bound"],
    ["retry: { maximum: 3 }", "retry.maximum", "is not a key that Muster knows"],
    ["max_attempts: 0", "max_attempts", "must be at least 1"],
    ["max_attempts: 3\nretry: 2", "max_attempts", "says the same as retry: keep one of them"],
    [
      "retry: 2\nresources: { job_recovery: FAILOVER }",
      "retry",
      "says the same as resources.job_recovery: keep one of them",
    ],
    ["queue_timeout: -1", "queue_timeout", "must be a time, and not a negative one"],
    ["queue_timeout: 0", "queue_timeout", "must be more than 0"],
    ["resources: { any_of: [{ job_recovery: FAILOVER }] }", "resources.any_of.0.job_recovery", /said once/],
  ])("%s", (text, path, message) => {
    expect(problems(`${text}\nrun: x\n`)).toEqual([
      expect.objectContaining({
        path,
        message: typeof message === "string" ? message : expect.stringMatching(message),
      }),
    ]);
  });
});
