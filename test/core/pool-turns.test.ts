/** When a pool changes its size. Pure; held against walking from time to time. */
import { lastTurn, nextTurn } from "@muster/core/pool/turns.ts";
import { nextTime } from "@muster/core/schedule/next.ts";
import { expect, test } from "vitest";

const HOUR = 3_600_000;
const JANUARY = Date.UTC(2026, 0, 1);

const turn = (cron: string, size: number, timeZone = "UTC") => ({ cron, size, timeZone });
const WORK = [turn("0 8 * * 1-5", 5, "Europe/Paris"), turn("0 18 * * 1-5", 0, "Europe/Paris"), turn("@daily", 1)];

/** The last of all times up to now, one after the other. */
function walked(turns: typeof WORK, since: number, now: number) {
  let last: { at: number; size: number } | undefined;
  for (const one of turns)
    for (let at = nextTime(one, since); at !== undefined && at <= now; at = nextTime(one, at))
      if (last === undefined || at >= last.at) last = { at, size: one.size };
  return last;
}

test("of the times that have come the last stands, whenever anybody looks", () => {
  // Over the day on which clocks are put forward, and the one on which they are put back.
  for (const start of [JANUARY, Date.UTC(2026, 2, 27), Date.UTC(2026, 9, 23)])
    for (let hours = 0; hours < 100; hours += 3.3) {
      const [since, now] = [start, start + hours * HOUR];
      expect([hours, lastTurn(WORK, since, now)]).toEqual([hours, walked(WORK, since, now)]);
    }
});

test("a time that comes every minute is found after a year", () => {
  const now = JANUARY + 365 * 24 * HOUR + 30_000;
  expect(lastTurn([turn("* * * * *", 3)], JANUARY, now)).toEqual({ at: now - 30_000, size: 3 });
});

test("of several at one time that which is said last stands", () => {
  const turns = [turn("0 * * * *", 1), turn("@daily", 2), turn("30 * * * *", 3)];
  expect(nextTurn(turns, JANUARY - 1)).toEqual({ at: JANUARY, size: 2 });
  expect(lastTurn(turns, JANUARY - 1, JANUARY)).toEqual({ at: JANUARY, size: 2 });
  expect(nextTurn(turns, JANUARY)).toEqual({ at: JANUARY + HOUR / 2, size: 3 });
});

test("where nothing comes nothing changes", () => {
  expect([nextTurn([], JANUARY), lastTurn([], 0, JANUARY), lastTurn(WORK, JANUARY, JANUARY)]).toEqual(
    Array(3).fill(undefined),
  );
});
