/** What things cost, as numbers: pure functions of a record and the clock, checked against plain sums. */
import { HOUR, over, rateOf } from "@muster/core/cost/amount.ts";
import { type Cost, costAt, costIn, info, LEAST, soFar, turned } from "@muster/core/cost/cost.ts";
import { forecast, type Meter, rolled, spentIn } from "@muster/core/cost/meter.ts";
import { endOf, Month, monthOf, startOf } from "@muster/core/cost/month.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const JAN = Date.UTC(2026, 0, 1);

describe("months", () => {
  test.each([
    ["2026-02", 28],
    ["2028-02", 29],
    ["2100-02", 28],
    ["2026-12", 31],
    ["2026-04", 30],
  ])("%s has %i days, and its end is the next one's beginning", (month, days) => {
    expect((endOf(month) - startOf(month)) / (24 * HOUR)).toBe(days);
    expect([monthOf(startOf(month)), monthOf(endOf(month) - 1)]).toEqual([month, month]);
    expect(startOf(monthOf(endOf(month)))).toBe(endOf(month));
  });

  test.each(["2026-13", "2026-00", "2026-1", "26-01", "2026-01-01"])("%s is none", month => {
    expect(Month.safeParse(month).success).toBe(false);
  });
});

/** Rates, and how long each holds. */
const segments = fc.array(
  fc.record({ hourly: fc.integer({ min: 0, max: 40_000_000 }), ms: fc.integer({ min: 0, max: 60 * 24 * HOUR }) }),
  { maxLength: 12 },
);
const from = fc.integer({ min: JAN, max: JAN + 5 * 365 * 24 * HOUR });

interface Step {
  readonly hourly: number;
  readonly ms: number;
}
/** What they come to, without rounding. */
const exact = (steps: readonly Step[]): number => steps.reduce((sum, { hourly, ms }) => sum + (hourly * ms) / HOUR, 0);

function run(steps: readonly Step[], start: number): { cost: Cost | undefined; now: number } {
  let cost: Cost | undefined;
  let now = start;
  for (const { hourly, ms } of steps) {
    ({ cost } = turned(cost, now, { hourly }));
    now += ms;
  }
  return { cost, now };
}

describe("what a cluster has cost", () => {
  test("is the sum of price and time over all segments, to a millionth for each", () => {
    fc.assert(
      fc.property(segments, from, (steps, start) => {
        const { cost, now } = run(steps, start);
        expect(Math.abs(costAt(cost, now) - exact(steps))).toBeLessThanOrEqual(steps.length);
      }),
    );
  });

  test("falls apart into months without a rest, as far as they are known", () => {
    fc.assert(
      fc.property(segments, from, (steps, start) => {
        const { cost, now } = run(steps, start);
        if (cost === undefined) return;
        const before = cost.before ?? 0;
        let sum = before;
        for (let month = monthOf(cost.since); startOf(month) <= now; month = monthOf(endOf(month)))
          sum += costIn(cost, month, now) ?? Number.NaN;
        expect(Math.abs(sum - costAt(cost, now))).toBeLessThanOrEqual(60);
        const earlier = costIn(cost, monthOf(startOf(monthOf(cost.since)) - 1), now);
        expect(earlier).toBe(before === 0 ? 0 : undefined);
      }),
    );
  });

  test("is a minute at least for each start, and never more than that for one that ran longer", () => {
    const hourly = rateOf(3.6, 1);
    const { cost } = turned(undefined, JAN, { hourly, machines: "start" });
    expect([costAt(cost, JAN), costAt(cost, JAN + 59_000), costAt(cost, JAN + 61_000)]).toEqual([
      60_000, 60_000, 61_000,
    ]);
    const short = turned(cost, JAN + 10_000, { hourly: 0, machines: "end" });
    expect([short.extra, costAt(short.cost, JAN + HOUR)]).toEqual([50_000, 60_000]);
    const long = turned(cost, JAN + LEAST, { hourly: 0, machines: "end" });
    expect([long.extra, costAt(long.cost, JAN + HOUR)]).toEqual([0, 60_000]);
  });

  test("is nothing at all for machines that cost nothing", () => {
    const { cost } = turned(undefined, JAN, { hourly: 0, machines: "start" });
    expect([cost, turned(cost, JAN + HOUR, { hourly: 0, machines: "end" })]).toEqual([
      undefined,
      { cost: undefined, extra: 0 },
    ]);
  });

  test("never falls when a clock runs behind", () => {
    const { cost } = turned(undefined, JAN + HOUR, { hourly: 1_000_000 });
    const { cost: next } = turned(cost, JAN, { hourly: 2_000_000 });
    expect([next?.since, next?.accrued, costAt(next, JAN)]).toEqual([JAN + HOUR, undefined, 0]);
  });

  test("is shown in dollars, as at any time", () => {
    const { cost } = turned(undefined, JAN, { hourly: 2_500_000 });
    expect(soFar(cost && info(cost), JAN + 2 * HOUR)).toBe(5);
  });
});

describe("a meter", () => {
  test("adds up to price and time, whatever months it goes through", () => {
    fc.assert(
      fc.property(segments, from, (steps, start) => {
        let meter: Meter | undefined;
        let [now, sum, turns] = [start, 0, 1];
        for (const { hourly, ms } of steps) {
          const next = rolled(meter, now);
          for (const { spent } of next.closed) sum += spent;
          turns += next.closed.length + 1;
          meter = { ...next.meter, hourly };
          now += ms;
        }
        const last = rolled(meter, now);
        for (const { spent } of last.closed) sum += spent;
        turns += last.closed.length + 1;
        expect(Math.abs(sum + last.meter.spent - exact(steps))).toBeLessThanOrEqual(turns);
      }),
    );
  });

  test("closes each month at its last moment, and counts the next from there", () => {
    const at = Date.UTC(2028, 1, 29, 23);
    const meter = { month: "2028-02", spent: 7, at, hourly: 1000 };
    expect(spentIn(meter, "2028-02", at + 5 * HOUR)).toBe(1007);
    expect(spentIn(meter, "2028-03", at + 5 * HOUR)).toBe(4000);
    expect(rolled(meter, at + 5 * HOUR)).toEqual({
      meter: { month: "2028-03", spent: 4000, at: at + 5 * HOUR, hourly: 1000 },
      closed: [{ month: "2028-02", spent: 1007 }],
    });
  });

  test("of a month that is over nothing is known here", () => {
    expect(spentIn({ month: "2026-02", spent: 1, at: JAN, hourly: 0 }, "2026-01", JAN)).toBeUndefined();
  });

  test("foresees the rest of the month at the rate of now", () => {
    const at = Date.UTC(2026, 10, 30, 14);
    expect(forecast({ month: "2026-11", spent: 5, at, hourly: 1000 }, "2026-11", at)).toBe(10_005);
  });
});

test("no time and no price come to nothing", () => {
  expect([over(1000, 0), over(1000, -5), over(0, HOUR)]).toEqual([0, 0, 0]);
});
