/** Hours of the week in a time zone: core's own arithmetic, against a reference that asks a clock minute by minute. */
import { type Keep, keptUntil, shown } from "@muster/core/cluster/hours.ts";
import { describe as describePolicy, freeFrom, Idle } from "@muster/core/cluster/idle.ts";
import { issuesOf } from "@muster/core/error.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const MINUTE = 60_000;
const at = (iso: string): number => Date.parse(iso);
const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const OFFICE: Keep = {
  zone: "Europe/Berlin",
  hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "20:00" }],
};
const nightly = (zone: string, from: string, to: string): Keep => ({ zone, hours: [{ days: [...DAYS], from, to }] });

describe("until when they last", () => {
  test("outside of them it is now, inside their end by the clock there", () => {
    // 2026-11-23 is a Monday; Berlin is an hour ahead of UTC.
    expect(iso(keptUntil(OFFICE, at("2026-11-23T06:59:59Z")))).toBe("2026-11-23T06:59:59.000Z");
    expect(iso(keptUntil(OFFICE, at("2026-11-23T07:00:00Z")))).toBe("2026-11-23T19:00:00.000Z");
    expect(iso(keptUntil(OFFICE, at("2026-11-23T18:59:59Z")))).toBe("2026-11-23T19:00:00.000Z");
    expect(iso(keptUntil(OFFICE, at("2026-11-23T19:00:00Z")))).toBe("2026-11-23T19:00:00.000Z");
    expect(iso(keptUntil(OFFICE, at("2026-11-22T12:00:00Z")))).toBe("2026-11-22T12:00:00.000Z");
  });

  test("hours that end before they begin end on the next day, also from Sunday to Monday", () => {
    const night: Keep = { zone: "UTC", hours: [{ days: ["sun"], from: "22:00", to: "06:00" }] };
    expect(iso(keptUntil(night, at("2026-11-22T23:00:00Z")))).toBe("2026-11-23T06:00:00.000Z");
    expect(iso(keptUntil(night, at("2026-11-23T05:59:00Z")))).toBe("2026-11-23T06:00:00.000Z");
    expect(iso(keptUntil(night, at("2026-11-24T05:59:00Z")))).toBe("2026-11-24T05:59:00.000Z");
  });

  test("hours that follow each other are one time; those of a whole week never end", () => {
    const days: Keep = { zone: "UTC", hours: [{ days: ["sat", "sun"], from: "00:00", to: "00:00" }] };
    expect(iso(keptUntil(days, at("2026-11-21T10:00:00Z")))).toBe("2026-11-23T00:00:00.000Z");
    expect(keptUntil(nightly("Asia/Tokyo", "00:00", "00:00"), at("2026-11-21T10:00:00Z"))).toBeUndefined();
  });
});

describe("when clocks change", () => {
  test("they end by the clock on the wall, on a day of 23 hours and on one of 25", () => {
    const late = nightly("Europe/Berlin", "22:00", "06:00");
    // Spring: 2026-03-29, 02:00 becomes 03:00. Autumn: 2026-10-25, 03:00 becomes 02:00.
    expect(iso(keptUntil(late, at("2026-03-28T22:00:00Z")))).toBe("2026-03-29T04:00:00.000Z");
    expect(iso(keptUntil(late, at("2026-10-24T21:00:00Z")))).toBe("2026-10-25T05:00:00.000Z");
  });

  test("an hour that is skipped is none; one that comes twice is kept twice", () => {
    const early = nightly("Europe/Berlin", "02:00", "03:00");
    expect(iso(keptUntil(early, at("2026-03-29T00:59:00Z")))).toBe("2026-03-29T00:59:00.000Z");
    expect(iso(keptUntil(early, at("2026-03-29T01:00:00Z")))).toBe("2026-03-29T01:00:00.000Z");
    expect(iso(keptUntil(early, at("2026-10-25T00:10:00Z")))).toBe("2026-10-25T02:00:00.000Z");
    const half = nightly("Europe/Berlin", "02:00", "02:30");
    expect(iso(keptUntil(half, at("2026-10-25T00:10:00Z")))).toBe("2026-10-25T00:30:00.000Z");
    expect(iso(keptUntil(half, at("2026-10-25T01:10:00Z")))).toBe("2026-10-25T01:30:00.000Z");
  });
});

/** What a clock in the zone shows, by another way than core's. */
function kept(keep: Keep, clock: Intl.DateTimeFormat, time: number): boolean {
  const [, year, month, day, hour, minute] = (
    /^(\d+)-(\d+)-(\d+) (\d+):(\d+)/.exec(clock.format(time)) as RegExpExecArray
  ).map(Number) as number[];
  const today = (new Date(Date.UTC(year as number, (month as number) - 1, day)).getUTCDay() + 6) % 7;
  const wall = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
  return keep.hours.some(({ days, from, to }) => {
    const has = (index: number) => days.includes(DAYS[(index + 7) % 7] as (typeof DAYS)[number]);
    if (from < to) return has(today) && from <= wall && wall < to;
    return (has(today) && from <= wall) || (has(today - 1) && wall < to);
  });
}

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Cairo",
  "America/Santiago",
  "Pacific/Chatham",
];
/** Days around which clocks change somewhere among these zones. */
const starts = ["2026-03-06", "2026-03-27", "2026-04-03", "2026-09-04", "2026-10-02", "2026-10-23", "2026-10-30"];
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom("00", "01", "15", "30", "59"))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${minute}`);
const keeps = fc.record({
  zone: fc.constantFrom(...zones),
  hours: fc.array(fc.record({ days: fc.subarray([...DAYS], { minLength: 1 }), from: time, to: time }), {
    minLength: 1,
    maxLength: 4,
  }),
});

test("as a clock says that is asked minute by minute", () => {
  const minutes = fc.integer({ min: 0, max: 4 * 1440 });
  fc.assert(
    fc.property(keeps, fc.constantFrom(...starts), minutes, (keep, start, minute) => {
      const style = { dateStyle: "short", timeStyle: "short", hourCycle: "h23" } as const;
      const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: keep.zone, ...style });
      const begin = at(`${start}T00:00:00Z`) + minute * MINUTE;
      const until = keptUntil(keep, begin);
      const end = begin + 8 * 1440 * MINUTE;
      let reference = begin;
      while (reference < end && kept(keep, clock, reference)) reference += MINUTE;
      expect(iso(until)).toBe(reference >= end ? undefined : iso(reference));
    }),
    { numRuns: 150 },
  );
});

describe("together with a hold", () => {
  test("what comes last counts: hours that a hold ends in are waited for", () => {
    const hold = { until: at("2026-11-23T08:00:00Z"), by: "usr_ada" };
    expect(iso(freeFrom({ hold, keep: OFFICE }, at("2026-11-23T03:00:00Z")))).toBe("2026-11-23T19:00:00.000Z");
    expect(iso(freeFrom({ hold }, at("2026-11-23T03:00:00Z")))).toBe("2026-11-23T08:00:00.000Z");
    expect(iso(freeFrom({ hold }, at("2026-11-23T09:00:00Z")))).toBe("2026-11-23T09:00:00.000Z");
  });
});

describe("in words", () => {
  test("days in a row are joined", () => {
    expect(shown(OFFICE)).toBe("mon-fri 08:00 to 20:00 (Europe/Berlin)");
    const hours = [
      { days: ["sat", "sun"] as const, from: "10:00", to: "12:00" },
      { days: ["mon", "wed"] as const, from: "22:00", to: "06:00" },
    ].map(one => ({ ...one, days: [...one.days] }));
    expect(shown({ zone: "UTC", hours })).toBe("sat sun 10:00 to 12:00, mon wed 22:00 to 06:00 (UTC)");
  });

  test.each([
    [{ after: 0, action: "stop" }, "stops after 5 minutes without a job"],
    [{ after: 120, action: "stop", waitFor: "none" }, "stops 2 hours after it is ready, whatever runs"],
    [
      { after: 60, action: "terminate", waitFor: "none", cpuBelow: 0.005 },
      "terminates after 1 hour with CPUs below 0.5 %, whatever jobs run",
    ],
    [
      {
        after: 30,
        action: "stop",
        waitFor: "jobs_and_sessions",
        cpuBelow: 0.05,
        gpuBelow: 0.1,
        command: "test -e /tmp/done",
        keep: OFFICE,
        hook: { run: "./save.sh" },
        then: { after: 4320, action: "terminate" },
      },
      "stops after 30 minutes without a job or session, with CPUs below 5 %, GPUs below 10 % and its idle command content, not on mon-fri 08:00 to 20:00 (Europe/Berlin), runs its hook first for at most 5 minutes, terminates 3 days later",
    ],
  ])("a policy is one sentence: %#", (idle, sentence) => {
    expect(describePolicy(Idle.parse(idle))).toBe(sentence);
  });
});

test("a zone that there is not is refused at its place, with what may have been meant", () => {
  const read = Idle.safeParse({ after: 5, action: "stop", keep: { ...OFFICE, zone: "Europe/Berln" } });
  expect(read.error && issuesOf(read.error, "idle")).toEqual([
    { path: "idle.keep.zone", message: "there is no time zone 'Europe/Berln': did you mean Europe/Berlin?" },
  ]);
});
