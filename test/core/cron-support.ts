/** Cron by brute force: every minute of some years in some zones, and which of them a line of cron means. */
import { nextTimes } from "@muster/core/schedule/next.ts";
import fc from "fast-check";
import { expect } from "vitest";

const ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe"] as const;
type Zone = (typeof ZONES)[number];

const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 0, 1) / MINUTE;
const DAYS = 400;

/** Local time by minutes since the beginning, as minutes since 1970 by the local clock. */
interface Clock {
  readonly local: Int32Array;
  /** Minutes since the beginning at which the clock is put forward or back. */
  readonly turns: readonly number[];
}

function clockOf(timeZone: string): Clock {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const offset = (minute: number): number => {
    const name =
      format.formatToParts((BEGIN + minute) * MINUTE).find(part => part.type === "timeZoneName")?.value ?? "";
    const [, sign = "+", hours = "0", minutes = "0"] = /GMT([+-])?(\d+)?:?(\d+)?/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  };
  const local = new Int32Array(DAYS * 1440);
  const turns: number[] = [];
  let now = offset(0);
  for (let minute = 0; minute < local.length; minute++) {
    // Clocks turn at half hours at the most.
    const then = minute % 30 === 0 ? offset(minute) : now;
    if (then !== now) turns.push(minute);
    now = then;
    local[minute] = BEGIN + minute + now;
  }
  return { local, turns };
}

const clocks = new Map(ZONES.map(zone => [zone, clockOf(zone)]));
const turnsOf = (zone: Zone): readonly number[] => clocks.get(zone)?.turns ?? [];

interface Field {
  readonly text: string;
  /** Undefined: any. */
  readonly values: ReadonlySet<number> | undefined;
  /** It has a star or a step. */
  readonly isOpen: boolean;
}

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);

function field(least: number, most: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: least, max: most });
  const closed = (text: string, values: number[]): Field => ({ text, values: new Set(values), isOpen: false });
  const open = (text: string, values: number[]): Field => ({ text, values: new Set(values), isOpen: true });
  const pair = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  return fc.oneof(
    { arbitrary: fc.constant<Field>({ text: "*", values: undefined, isOpen: true }), weight: 3 },
    { arbitrary: value.map(one => closed(`${one}`, [one])), weight: 5 },
    fc.uniqueArray(value, { minLength: 2, maxLength: 4 }).map(some => closed(some.join(), some)),
    pair.map(([from, to]) => closed(`${from}-${to}`, range(from, to))),
    fc.integer({ min: 2, max: most - least }).map(step => open(`*/${step}`, range(least, most, step))),
    fc
      .tuple(pair, fc.integer({ min: 1, max: 5 }))
      .filter(([[from, to], step]) => step <= to - from + 1)
      .map(([[from, to], step]) => open(`${from}-${to}/${step}`, range(from, to, step))),
  );
}

interface Line {
  readonly text: string;
  readonly fields: readonly [minute: Field, hour: Field, day: Field, month: Field, weekday: Field];
}

const lines: fc.Arbitrary<Line> = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
  .map(fields => ({ fields, text: fields.map(({ text }) => text).join(" ") }));

const has = ({ values }: Field, value: number): boolean => values === undefined || values.has(value);

function isDay({ fields: [, , day, month, weekday] }: Line, local: number): boolean {
  const date = new Date(local * MINUTE);
  if (!has(month, date.getUTCMonth() + 1)) return false;
  const [isDate, isWeekday] = [has(day, date.getUTCDate()), has(weekday, date.getUTCDay())];
  // Where either is any, the other decides; where both are given, one of them is enough.
  const isEither = day.values !== undefined && weekday.values !== undefined;
  return isEither ? isDate || isWeekday : isDate && isWeekday;
}

const isTime = ({ fields: [minute, hour] }: Line, local: number): boolean =>
  has(hour, Math.floor((local % 1440) / 60)) && has(minute, local % 60);

/** The next times of that line after a minute, in minutes since the beginning; as many, or up to the end of all minutes. */
function bruteTimes(line: Line, zone: Zone, after: number, count: number): number[] {
  const { local } = clocks.get(zone) ?? { local: new Int32Array() };
  const isFixed = !line.fields[0].isOpen && !line.fields[1].isOpen;
  const days = new Map<number, boolean>();
  const matches = (clock: number): boolean => {
    if (!isTime(line, clock)) return false;
    const day = Math.floor(clock / 1440);
    const known = days.get(day) ?? isDay(line, clock);
    days.set(day, known);
    return known;
  };
  const found: number[] = [];
  for (let minute = after + 1; minute < local.length && found.length < count; minute++) {
    const [before = 0, now = 0] = [local[minute - 1], local[minute]];
    const isMissed = isFixed && now > before + 1 && range(before + 1, now - 1).some(matches);
    const isAgain = isFixed && seenBefore(local, minute, now);
    if (isMissed || (matches(now) && !isAgain)) found.push(minute);
  }
  return found;
}

/** Whether the local clock has shown this within the last hours. */
function seenBefore(local: Int32Array, minute: number, now: number): boolean {
  for (const back of [30, 60, 120]) if (minute >= back && local[minute - back] === now) return true;
  return false;
}

const toMs = (minute: number): number => (BEGIN + minute) * MINUTE;

const starts = fc.constantFrom(...ZONES).chain(zone => {
  const anywhere = fc.integer({ min: 0, max: (DAYS - 40) * 1440 });
  const turn = fc.constantFrom(...turnsOf(zone));
  const near = fc.tuple(turn, fc.integer({ min: -4000, max: 200 })).map(([at, by]) => at + by);
  return fc.tuple(fc.constant(zone), fc.oneof(anywhere, near));
});

/** The next times of so many lines are those that brute force finds, half of them around the turns of clocks. */
export function expectBruteForce(runs: number, seed: number): void {
  fc.assert(
    fc.property(lines, starts, (line, [zone, start]) => {
      const expected = bruteTimes(line, zone, start, 6).map(toMs);
      const found = nextTimes({ cron: line.text, timeZone: zone }, toMs(start), 6);
      const about = { line: line.text, zone, start };
      expect({ ...about, times: found.slice(0, expected.length) }).toEqual({ ...about, times: expected });
    }),
    { numRuns: runs, seed },
  );
}
