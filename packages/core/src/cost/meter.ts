/**
 * A meter: what a month has cost until some moment, and at which rate it goes on from there. So what a month has cost is
 * known at any time from one item and the clock, and nothing is written while nothing changes.
 */
import * as z from "zod";
import { over } from "./amount.ts";
import { endOf, monthOf, startOf } from "./month.ts";

export const Meter = z.object({
  month: z.string(),
  /** What the month has cost until `at`. */
  spent: z.number().int(),
  /** Epoch ms. */
  at: z.number(),
  /** Per hour, from then on. */
  hourly: z.number().int(),
});
export type Meter = z.infer<typeof Meter>;

/** What a month came to that is over. */
export interface Closed {
  readonly month: string;
  readonly spent: number;
}

/** Months that one reading closes at most: each is an item in the transaction that closes it. */
const MOST_CLOSED = 30;

/** The meter read now: months that have ended since are closed. A clock that runs behind turns nothing back. */
export function rolled(meter: Meter | undefined, now: number): { readonly meter: Meter; readonly closed: Closed[] } {
  if (meter === undefined) return { meter: { month: monthOf(now), spent: 0, at: now, hourly: 0 }, closed: [] };
  const { hourly } = meter;
  const to = Math.max(now, meter.at);
  const closed: Closed[] = [];
  let { month, spent, at } = meter;
  for (let end = endOf(month); end <= to; end = endOf(month)) {
    closed.push({ month, spent: spent + over(hourly, end - at) });
    [month, spent, at] = [monthOf(end), 0, end];
  }
  const told = closed.filter(one => one.spent !== 0).slice(-MOST_CLOSED);
  return { meter: { month, spent: spent + over(hourly, to - at), at: to, hourly }, closed: told };
}

/** What a month has cost until now; undefined for one that is closed: that has an item of its own, if it cost anything. */
export function spentIn(meter: Meter | undefined, month: string, now: number): number | undefined {
  if (meter === undefined || month < meter.month) return undefined;
  const to = Math.min(now, endOf(month));
  if (month > meter.month) return over(meter.hourly, to - startOf(month));
  return meter.spent + over(meter.hourly, to - meter.at);
}

/** What a month will have cost when all goes on as it does now. */
export function forecast(meter: Meter | undefined, month: string, now: number): number {
  const left = endOf(month) - Math.max(now, startOf(month));
  return (spentIn(meter, month, now) ?? 0) + over(meter?.hourly ?? 0, left);
}
