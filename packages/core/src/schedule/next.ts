/**
 * When a schedule's next time is. Cron as it is widely known: five fields, or a nickname such as `@daily`; a day of the month
 * and a day of the week that are both given mean either.
 *
 * Gotcha: where clocks are put forward, times that are named (no `*`, no step in minute and hour) and do not exist come as
 * soon as the clock is past them; where clocks are put back, those that exist twice come the first time only. What goes by
 * steps, such as every quarter of an hour, goes by the time that passes.
 */
import { Cron } from "croner";
import type { Issue } from "../error.ts";
import { nearest } from "../near.ts";
import { isZone, zoneMeant } from "../time-zone.ts";

const FIELDS = "minute, hour, day of the month, month, day of the week";
const NICKNAMES = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

export interface Cronic {
  readonly cron: string;
  /** IANA name, such as `Europe/Paris`. */
  readonly timeZone: string;
}

/** Epoch ms of the first time after that; undefined when there is none. */
export const nextTime = (schedule: Cronic, after: number): number | undefined =>
  parse(schedule).nextRun(new Date(after))?.getTime();

/**
 * Epoch ms of the first time that is still to come; undefined when there is none. One that has come by another clock, which
 * runs ahead of this, has come.
 * @param last the last time that has come, if any has
 * @param now epoch ms
 */
export const timeToCome = (schedule: Cronic, last: { readonly at: number } | undefined, now: number) =>
  nextTime(schedule, Math.max(now, last?.at ?? now));

/** Epoch ms of the next times, `count` of them. */
export const nextTimes = (schedule: Cronic, after: number, count: number): number[] =>
  parse(schedule)
    .nextRuns(count, new Date(after))
    .map(time => time.getTime());

/** Never run by itself: only asked. */
const parse = ({ cron, timeZone }: Cronic): Cron =>
  new Cron(cron.trim(), { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });

/** What is wrong with it, and what may have been meant; none when it comes to pass. @param now epoch ms */
export function check(schedule: Cronic, now: number): Issue[] {
  const zone = checkZone(schedule.timeZone);
  const fields = checkFields(schedule.cron);
  if (zone !== undefined || fields !== undefined) return [zone, fields].filter(issue => issue !== undefined);
  const issue = checkTimes(schedule, now);
  return issue === undefined ? [] : [issue];
}

function checkZone(timeZone: string): Issue | undefined {
  if (isZone(timeZone)) return undefined;
  return { path: "timeZone", message: `there is no time zone '${timeZone}'`, suggestion: zoneMeant(timeZone) };
}

function checkFields(cron: string): Issue | undefined {
  const fields = cron.trim().split(/\s+/);
  const [first = ""] = fields;
  if (fields.length === 5) return undefined;
  if (fields.length === 1 && first.startsWith("@")) return checkNickname(first);
  const message = `has ${fields.length} ${fields.length === 1 ? "field" : "fields"}; cron has five: ${FIELDS}`;
  const isFiner = fields.length === 6;
  const suggestion = isFiner ? `once a minute is the most; without seconds it is: ${fields.slice(1).join(" ")}` : "";
  return { path: "cron", message, ...(isFiner && { suggestion }) };
}

function checkNickname(word: string): Issue | undefined {
  if (NICKNAMES.includes(word.toLowerCase())) return undefined;
  const near = nearest(word, NICKNAMES);
  const suggestion = near ? `did you mean ${near}?` : `write one of ${NICKNAMES.join(", ")}, or five fields`;
  return { path: "cron", message: `there is no '${word}'`, suggestion };
}

function checkTimes(schedule: Cronic, now: number): Issue | undefined {
  try {
    if (nextTime(schedule, now) !== undefined) return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { path: "cron", message: `cannot be read: ${asWritten(said)}` };
  }
  return { path: "cron", message: "never comes: no month that it names has that day", ...lastDay(schedule, now) };
}

/** What counts from 1 is told by its place, from 0. */
const asWritten = (said: string): string =>
  said
    .replace(/^CronPattern: /, "")
    .replace(/^(Invalid value for (?:day|month): )(\d+)$/, (_, text, place) => `${text}${Number(place) + 1}`);

/** Whoever names a day that a month does not have mostly means its last. */
function lastDay(schedule: Cronic, now: number): { suggestion?: string } {
  const fields = schedule.cron.trim().split(/\s+/);
  const cron = fields.with(2, "L").join(" ");
  return nextTime({ ...schedule, cron }, now) === undefined
    ? {}
    : { suggestion: `for the last day of the month write: ${cron}` };
}
