/** Whether and when a job is tried again. Pure: against the decision itself. */
import { causeOf, MANAGED, pauseOf, retryAt, retryOf } from "@muster/core/job/retry.ts";
import { Retry, RetryCause } from "@muster/core/task/retry.ts";
import { Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";

const NOW = 1_000_000;
const ALL = Retry.parse({ max: 3, on: RetryCause.options, backoff: 10 });
const failed = (code: string, exitCode?: number) => ({ failure: { code, message: "it ended" }, exitCode });

/** A failure's code, what it counts as, and nothing for those that another try would not mend. */
const codes: readonly (readonly [string, RetryCause | undefined])[] = [
  ["exit_code", "exit_code"],
  ["setup_failed", "setup_failed"],
  ["timed_out", "timeout"],
  ["host_lost", "host_lost"],
  ["hosts_lost", "host_lost"],
  ["machines_lost", "host_lost"],
  ["boot_timeout", "host_lost"],
  ["interrupted", "interruption"],
  ["no_capacity", "capacity"],
  ["quota_exceeded", "capacity"],
  ["no_offer", "capacity"],
  ["over_budget", "capacity"],
  ["inputs_failed", undefined],
  ["start_failed", undefined],
  ["gpus_missing", undefined],
  ["container_failed", undefined],
  ["secrets_lost", undefined],
  ["launch_failed", undefined],
  ["cancelled", undefined],
];

describe.each(codes)("a try that ended with %s", (code, cause) => {
  test(`counts as ${cause ?? "no cause for another"}`, () => {
    expect(causeOf({ code })).toBe(cause);
  });

  test.each(RetryCause.options)("asked to be tried again for %s", on => {
    const at = retryAt({ retry: { ...ALL, on: [on] }, attempts: 1 }, failed(code, 1), NOW);
    expect(at).toBe(on === cause ? NOW + 10_000 : undefined);
  });
});

test.each([
  [1, NOW + 10_000],
  [2, NOW + 20_000],
  [3, NOW + 40_000],
  [4, undefined],
])("after try %i of 4 the next is at %s", (attempts, at) => {
  expect(retryAt({ retry: ALL, attempts }, failed("host_lost"), NOW)).toBe(at);
});

test("a pause is never longer than an hour, nor than it was asked to be at most", () => {
  expect(retryAt({ retry: { ...ALL, max: 1000 }, attempts: 900 }, failed("host_lost"), NOW)).toBe(NOW + 3_600_000);
  expect(pauseOf(30_000, 50, 600_000)).toBe(600_000);
  expect(pauseOf(0, 50)).toBe(0);
});

test.each([
  [undefined, 1, true],
  [[7, 9], 9, true],
  [[7, 9], 8, false],
  [[7], undefined, false],
])("of exit codes %s, code %s is tried again: %s", (exitCodes, code, isTried) => {
  const at = retryAt({ retry: { ...ALL, exitCodes }, attempts: 1 }, failed("exit_code", code), NOW);
  expect(at !== undefined).toBe(isTried);
});

test("exit codes say nothing of other causes", () => {
  expect(retryAt({ retry: { ...ALL, exitCodes: [7] }, attempts: 1 }, failed("host_lost"), NOW)).toBe(NOW + 10_000);
});

test("a job is tried once that says nothing of retries, and a managed one again when its machines are lost", () => {
  expect(retryAt({ attempts: 1 }, failed("host_lost"), NOW)).toBeUndefined();
  expect(retryOf(Task.parse({}), false)).toEqual({});
  expect(retryOf(Task.parse({}), true)).toEqual({ managed: true, retry: MANAGED });
  expect(MANAGED).toEqual({ max: 100, on: ["capacity", "interruption", "host_lost"], backoff: 10 });
  expect(retryOf(Task.parse({ retry: { max: 1 } }), true).retry?.max).toBe(1);
});

test("a verdict without a reason is no reason for another try", () => {
  expect(retryAt({ retry: ALL, attempts: 1 }, {}, NOW)).toBeUndefined();
});
