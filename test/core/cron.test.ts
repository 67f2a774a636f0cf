/** When a schedule's times are: against brute force, minute by minute, and what is refused. Pure. */
import { check, nextTime, nextTimes } from "@muster/core/schedule/next.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectBruteForce } from "./cron-support.ts";

const NOW = Date.UTC(2026, 0, 1);
const issues = (cron: string, timeZone = "UTC") => check({ cron, timeZone }, NOW);
const times = (cron: string, timeZone: string, from: string, count = 3) =>
  nextTimes({ cron, timeZone }, Date.parse(from), count).map(time => new Date(time).toISOString().slice(0, 16));

test("they are those that brute force finds, around the turns of clocks above all", () => {
  expectBruteForce(150, 20);
});

test("a time that does not exist comes once, and one that exists twice comes once", () => {
  expect(times("30 2 * * *", "Europe/Paris", "2026-03-28T12:00Z")).toEqual([
    "2026-03-29T01:00",
    "2026-03-30T00:30",
    "2026-03-31T00:30",
  ]);
  expect(times("0,30 2 * * *", "Europe/Paris", "2026-10-24T12:00Z")).toEqual([
    "2026-10-25T00:00",
    "2026-10-25T00:30",
    "2026-10-26T01:00",
  ]);
  expect(times("*/30 * * * *", "Europe/Paris", "2026-10-25T00:20Z", 4)).toEqual([
    "2026-10-25T00:30",
    "2026-10-25T01:00",
    "2026-10-25T01:30",
    "2026-10-25T02:00",
  ]);
});

test("nicknames, names of days and months, and the last day of a month are read", () => {
  expect(times("@daily", "Europe/Paris", "2026-07-01T12:00Z", 1)).toEqual(["2026-07-01T22:00"]);
  expect(times("0 3 * jan mon-fri", "UTC", "2026-01-02T12:00Z", 1)).toEqual(["2026-01-05T03:00"]);
  expect(times("0 0 L 2 *", "UTC", "2026-01-02T12:00Z", 2)).toEqual(["2026-02-28T00:00", "2027-02-28T00:00"]);
  expect(times("0 0 29 2 *", "UTC", "2026-01-02T12:00Z", 1)).toEqual(["2028-02-29T00:00"]);
});

describe("refused, with what may have been meant", () => {
  test("what never comes", () => {
    expect(issues("0 0 30 2 *")).toEqual([
      {
        path: "cron",
        message: "never comes: no month that it names has that day",
        suggestion: "for the last day of the month write: 0 0 L 2 *",
      },
    ]);
    expect(issues("0 0 31 4,6 *")).toMatchObject([{ path: "cron" }]);
  });

  test("what comes more than once a minute", () => {
    expect(issues("*/10 0 3 * * *")).toMatchObject([
      { message: expect.stringContaining("has 6 fields"), suggestion: expect.stringContaining("0 3 * * *") },
    ]);
  });

  test("a number that is none of the field's is told as it was written", () => {
    for (const [cron, message] of [
      ["0 0 32 1 *", "cannot be read: Invalid value for day: 32"],
      ["0 0 1 13 *", "cannot be read: Invalid value for month: 13"],
      ["0 24 * * *", "cannot be read: Invalid value for hour: 24"],
    ] as const)
      expect(issues(cron)).toEqual([{ path: "cron", message }]);
  });

  test("what is no cron", () => {
    expect(issues("0 25 * * *")).toMatchObject([{ message: "cannot be read: Invalid value for hour: 25" }]);
    expect(issues("daily")).toMatchObject([{ message: expect.stringContaining("has 1 field") }]);
    expect(issues("@dayly")).toMatchObject([{ suggestion: "did you mean @daily?" }]);
    expect(issues("@reboot")).toMatchObject([{ path: "cron" }]);
    expect(issues("2026-03-28T12:00:00")).toMatchObject([{ path: "cron" }]);
    expect(issues("")).toMatchObject([{ path: "cron" }]);
  });

  test("a zone that is none", () => {
    expect(issues("0 3 * * *", "Europe/Pari")).toEqual([
      { path: "timeZone", message: "there is no time zone 'Europe/Pari'", suggestion: "did you mean Europe/Paris?" },
    ]);
    expect(issues("0 3 * * *", "+01:00")).toMatchObject([{ path: "timeZone" }]);
    expect(issues("nonsense", "Mars/Nix")).toHaveLength(2);
  });

  test("whatever text there is, it is read or refused, and never thrown", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 10 }), (cron, timeZone) => {
        const found = check({ cron, timeZone: timeZone || "UTC" }, NOW);
        if (found.length === 0) expect(nextTime({ cron, timeZone: timeZone || "UTC" }, NOW)).toBeGreaterThan(NOW);
      }),
      { numRuns: 500 },
    );
  });
});
