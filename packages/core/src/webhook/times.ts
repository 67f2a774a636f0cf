/** When a delivery is tried again. */
import { spread } from "../keys.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Before each try, in ms, as Standard Webhooks recommends: 75 hours in all. */
export const DELAYS = [
  ...[0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE],
  ...[2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR],
] as const;

/** The longest that a receiver may ask for, in ms. */
const LONGEST = 24 * HOUR;

/**
 * Milliseconds until the next try; undefined when there is none. Long waits are up to a tenth longer, each delivery's its own,
 * so that not everything comes back at once to a receiver that was away.
 * @param tries how many were begun
 * @param retryAfter what the receiver asked for, in ms: it is waited for that long at least
 */
export function delayOf(id: string, tries: number, retryAfter = 0): number | undefined {
  const delay = DELAYS[tries];
  if (delay === undefined) return undefined;
  const more = delay < 5 * MINUTE ? 0 : Math.floor((delay * (spread(id) % 100)) / 1000);
  return Math.max(delay + more, Math.min(retryAfter, LONGEST));
}

/** `Retry-After` (RFC 9110 §10.2.3), in ms: seconds, or a date; 0 for what is neither. @param now epoch ms */
export function retryAfterOf(header: string | undefined, now: number): number {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * SECOND;
  // Dates of HTTP have letters; a number that is no number of seconds is nothing.
  const date = /^[a-z]{3,}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
