/** Hours of the week as people write them: `mon-fri 08:00-20:00`; and time zones by their names. */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { nearest } from "@muster/core/near.ts";
import { isZone, zoneMeant } from "@muster/core/time-zone.ts";

export type Keep = NonNullable<Exclude<Idle, "never">["keep"]>;
export type Hours = Keep["hours"][number];
type Day = Hours["days"][number];

const DAYS: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const LINE = /^(\S+)\s+(\S+?)\s*-\s*(\S+)$/;
const TIME = /^(\d{1,2}):([0-5]\d)$/;
/** From so many days in a row on they are written as a range. */
const LEAST_RANGE = 3;

const EXAMPLE = "mon-fri 08:00-20:00";

/** What is wrong with such a text, and what to write instead. */
interface Amiss {
  readonly message: string;
  readonly suggestion?: string;
}

/**
 * Days, and from when to when: `mon-fri 08:00-20:00`, `sat,sun 9:00-13:00`, `daily 22:00-06:00` (until the next morning).
 * 24:00 is the end of the day.
 */
export function hoursOf(written: string): Hours | Amiss {
  const text = written
    .trim()
    .toLowerCase()
    .replaceAll(/\s*,\s*/g, ",");
  const [, days = "", from = "", to = ""] = LINE.exec(text) ?? [];
  if (days === "") return { message: `must be days and hours, and is "${written}"`, suggestion: `write ${EXAMPLE}` };
  const read = daysOf(days);
  if ("message" in read) return read;
  const [begins, ends] = [timeOf(from), to === "24:00" ? "00:00" : timeOf(to)];
  if (begins !== undefined && ends !== undefined) return { days: read, from: begins, to: ends };
  const odd = begins === undefined ? from : to;
  return { message: `"${odd}" is no time of day`, suggestion: "write such as 08:00" };
}

function daysOf(text: string): Day[] | Amiss {
  if (text === "daily") return [...DAYS];
  const days: Day[] = [];
  for (const part of text.split(",")) {
    const [first = "", last = first, ...more] = part.split("-");
    const [from, to] = [dayOf(first), dayOf(last)];
    if (from === undefined || to === undefined || more.length > 0) return noDay(from === undefined ? first : last);
    // From Friday to Monday is over the weekend.
    const count = ((to - from + DAYS.length) % DAYS.length) + 1;
    days.push(...[...DAYS, ...DAYS].slice(from, from + count));
  }
  return days;
}

function noDay(word: string): Amiss {
  const meant = nearest(word, DAYS);
  const suggestion = meant === undefined ? `write such as ${EXAMPLE}` : `did you mean '${meant}'?`;
  return { message: `"${word}" is no day of the week`, suggestion };
}

/** From 0, Monday; `tue`, `tues` and `tuesday` are one. */
function dayOf(word: string): number | undefined {
  const found = word.length < 3 ? -1 : NAMES.findIndex(name => name.startsWith(word));
  return found < 0 ? undefined : found;
}

function timeOf(text: string): string | undefined {
  const [, hour = "", minute = ""] = TIME.exec(text) ?? [];
  return hour === "" || Number(hour) > 23 ? undefined : `${hour.padStart(2, "0")}:${minute}`;
}

/** The hours as `hoursOf` reads them. */
export function hoursText({ days, from, to }: Hours): string {
  return `${daysText(days)} ${from}-${to}`;
}

function daysText(days: readonly Day[]): string {
  const first = DAYS.indexOf(days[0] ?? "mon");
  const isRun = days.every((day, index) => DAYS.indexOf(day) === (first + index) % DAYS.length);
  if (!isRun || days.length < LEAST_RANGE || days.length > DAYS.length) return days.join(",");
  return `${days[0]}-${days.at(-1)}`;
}

/** Nothing for a time zone by its name, such as Europe/Berlin. */
export const zoneAmiss = (zone: string): Amiss | undefined =>
  isZone(zone) ? undefined : { message: `there is no time zone '${zone}'`, suggestion: zoneMeant(zone) };
