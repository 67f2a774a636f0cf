/**
 * Hours of the week in a time zone, as a clock on the wall there shows them: what is left of an hour that is skipped, or
 * comes twice, when clocks change counts as its clock says.
 */
import * as z from "zod";
import { isZone, zoneMeant } from "../time-zone.ts";

const MINUTE = 60_000;
const DAY = 1440;
const WEEK = 7 * DAY;
/** Clocks change at quarters of an hour only, in ms: between two of them, minutes on the wall are minutes. */
const QUARTER = 15 * MINUTE;

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const Time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time is written as 08:30, from 00:00 to 23:59");

/** `to` at or before `from` is a time of the next day. */
const Hours = z.strictObject({ days: z.array(z.enum(DAYS)).min(1), from: Time, to: Time });
type Hours = z.infer<typeof Hours>;

const noZone = (name: unknown): string => `there is no time zone '${name}': ${zoneMeant(String(name))}`;

export const Keep = z.strictObject({
  zone: z
    .string()
    .min(1)
    .max(64)
    .refine(isZone, { error: ({ input }) => noZone(input) }),
  hours: z.array(Hours).min(1).max(14),
});
export type Keep = z.infer<typeof Keep>;

/** Minutes of the week, from Monday's first; `to` is beyond the week where Sunday's last hours go on. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Until when they last that have begun at a time, whatever hours follow without a gap.
 * @param at epoch ms
 * @returns epoch ms: `at` itself when it is in none of them; undefined: they never end
 */
export function keptUntil({ zone, hours }: Keep, at: number): number | undefined {
  const spans = hours.flatMap(spansOf);
  if (isWhole(spans)) return undefined;
  let time = at;
  for (let left = leftOf(spans, minuteOf(zone, time)); left > 0; left = leftOf(spans, minuteOf(zone, time)))
    time = Math.min(floor(time, MINUTE) + left * MINUTE, floor(time, QUARTER) + QUARTER);
  return time;
}

const floor = (time: number, unit: number): number => Math.floor(time / unit) * unit;

function spansOf({ days, from, to }: Hours): Span[] {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const length = end > begin ? end - begin : end + DAY - begin;
  return days.map(day => {
    const start = DAYS.indexOf(day) * DAY + begin;
    return { from: start, to: start + length };
  });
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** How many minutes the longest of them still lasts at this minute of the week; 0: it is in none. */
const leftOf = (spans: readonly Span[], minute: number): number =>
  Math.max(0, ...spans.flatMap(({ from, to }) => [minute, minute + WEEK].filter(at => from <= at).map(at => to - at)));

/** Whether they leave no minute of the week. */
function isWhole(spans: readonly Span[]): boolean {
  let minute = 0;
  for (let left = leftOf(spans, minute); left > 0 && minute < WEEK; left = leftOf(spans, minute % WEEK)) minute += left;
  return minute >= WEEK;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making one takes long. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  const style = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const made = new Intl.DateTimeFormat("en-US", { timeZone, ...style });
  clocks.set(timeZone, made);
  return made;
}

/** The minute of the week that a clock in the zone shows. */
function minuteOf(zone: string, time: number): number {
  const shown = new Map(
    clockOf(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  const day = DAYS.indexOf(shown.get("weekday")?.toLowerCase() as (typeof DAYS)[number]);
  return day * DAY + Number(shown.get("hour")) * 60 + Number(shown.get("minute"));
}

/** Such as `mon-fri 08:00 to 20:00, sat 10:00 to 12:00 (Europe/Paris)`. */
export function shown({ zone, hours }: Keep): string {
  const each = hours.map(({ days, from, to }) => `${daysOf(days)} ${from} to ${to}`);
  return `${each.join(", ")} (${zone})`;
}

/** Three days or more in a row as `mon-fri`. */
function daysOf(days: Hours["days"]): string {
  const rows: string[][] = [];
  for (const [index, day] of DAYS.entries()) {
    if (!days.includes(day)) continue;
    const row = rows.at(-1);
    if (row && row.at(-1) === DAYS[index - 1]) row.push(day);
    else rows.push([day]);
  }
  return rows.map(row => (row.length > 2 ? `${row[0]}-${row.at(-1)}` : row.join(" "))).join(" ");
}
