/**
 * What one thing has cost: a cluster, or a job. The record holds what it came to until its rate last changed; the rest is the
 * clock's. Nothing is written while the rate stays as it is.
 *
 * EC2 counts seconds, and a minute at least from each start (https://aws.amazon.com/ec2/pricing/on-demand/).
 */
import * as z from "zod";
import { MILLION, over } from "./amount.ts";
import { endOf, monthOf, startOf } from "./month.ts";

export const Cost = z.object({
  /** Until `since`; absent: nothing. */
  accrued: z.number().int().optional(),
  /** Epoch ms. */
  since: z.number(),
  /** Per hour, from then on. */
  hourly: z.number().int(),
  /** Epoch ms of the last start of machines that still run. */
  startedAt: z.number().optional(),
  /** What was accrued when the month of `since` began; absent: nothing. */
  before: z.number().int().optional(),
});
export type Cost = z.infer<typeof Cost>;

/** What machines cost at least from their start, in ms. */
export const LEAST = 60_000;

export interface Turn {
  /** Per hour, from now on. */
  readonly hourly: number;
  /** Whether machines start now; or whether none runs any more. */
  readonly machines?: "start" | "end";
}

/** Until when it is paid for, at least. */
const paidTo = ({ startedAt }: Cost): number => (startedAt === undefined ? 0 : startedAt + LEAST);

const until = (cost: Cost, at: number): number => (cost.accrued ?? 0) + over(cost.hourly, at - cost.since);

/** What it has cost by now. */
export const costAt = (cost: Cost | undefined, now: number): number =>
  cost === undefined ? 0 : until(cost, Math.max(now, paidTo(cost)));

export interface Turned {
  /** Absent for what has never cost anything, and does not now. */
  readonly cost: Cost | undefined;
  /** What the last start costs beyond the time that its machines ran. */
  readonly extra: number;
}

/** Another rate from now on. */
export function turned(cost: Cost | undefined, now: number, { hourly, machines }: Turn): Turned {
  if (cost === undefined && hourly === 0) return { cost: undefined, extra: 0 };
  const old = cost ?? { since: now, hourly: 0 };
  const at = Math.max(now, old.since);
  const accrued = until(old, at);
  const extra = machines === "end" ? Math.max(0, costAt(old, at) - accrued) : 0;
  const startedAt = startOfMachines(old, at, machines);
  const before = beforeMonth(old, at);
  const next = {
    ...{ since: at, hourly },
    ...(accrued + extra !== 0 && { accrued: accrued + extra }),
    ...(startedAt !== undefined && { startedAt }),
    ...(before !== 0 && { before }),
  };
  return { cost: next, extra };
}

function startOfMachines({ startedAt }: Cost, now: number, machines: Turn["machines"]): number | undefined {
  if (machines === "end") return undefined;
  return machines === "start" ? now : startedAt;
}

/** What had been accrued when the month began that it is now. */
function beforeMonth(cost: Cost, now: number): number {
  const month = monthOf(now);
  return month === monthOf(cost.since) ? (cost.before ?? 0) : until(cost, startOf(month));
}

/** What of it fell into a month; undefined when that is not known any more. */
export function costIn(cost: Cost | undefined, month: string, now: number): number | undefined {
  if (cost === undefined) return 0;
  const own = monthOf(cost.since);
  if (month < own) return (cost.before ?? 0) === 0 ? 0 : undefined;
  const end = endOf(month);
  const [from, to] = [month === own ? (cost.before ?? 0) : until(cost, startOf(month)), Math.max(now, paidTo(cost))];
  return now < startOf(month) ? 0 : until(cost, Math.min(to, end)) - from;
}

/** As the API shows it: US dollars. */
export const Info = z.object({
  accrued: z.number().meta({ description: "US dollars until `since`" }),
  since: z.number().meta({ description: "Epoch milliseconds" }),
  hourly: z.number().meta({ description: "US dollars per hour from then on" }),
  startedAt: z
    .number()
    .optional()
    .meta({ description: "Epoch milliseconds of the last start of its machines: a minute is paid for at least" }),
});
export type Info = z.infer<typeof Info>;

export const info = ({ accrued = 0, hourly, ...cost }: Cost): Info =>
  Info.parse({ ...cost, accrued: accrued / MILLION, hourly: hourly / MILLION });

/** What it has cost by now, in US dollars. */
export function soFar(shown: Info | undefined, now: number): number {
  if (shown === undefined) return 0;
  const cost = { ...shown, accrued: Math.round(shown.accrued * MILLION), hourly: Math.round(shown.hourly * MILLION) };
  return costAt(cost, now) / MILLION;
}
