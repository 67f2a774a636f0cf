/**
 * Budgets: what a workspace's machines, and those of each of its users, may cost per hour and per month. What a cluster costs
 * while it runs is taken in the transaction that lets it run, so that no race can spend more; it is given back in the one that
 * says that nothing runs any more. Amounts are as in cost/amount.ts.
 */
import * as z from "zod";
import { MILLION, rateOf } from "../cost/amount.ts";
import { forecast, Meter, spentIn } from "../cost/meter.ts";
import { monthOf } from "../cost/month.ts";
import * as Keys from "../keys.ts";
import type { Offer } from "../ports/provider.ts";
import type { Indexes, Table } from "../ports/table.ts";
import * as Quota from "../quota/quota.ts";
import { load, type Noun, type Stored, UNWRITTEN } from "../record.ts";

/** Nothing begins any more, until an admin says otherwise. */
export const Freeze = z.object({
  by: z.string(),
  /** Epoch ms. */
  at: z.number(),
  /** Whether clusters that run are stopped; those that cannot be stay, unless they are to be ended. */
  stop: z.boolean().optional(),
  terminate: z.boolean().optional(),
  /** Epoch ms at which somebody must look whether all have; absent: all have. */
  dueAt: z.number().optional(),
});
export type Freeze = z.infer<typeof Freeze>;

export const Budget = z.object({
  workspace: z.string(),
  /** Whose it is; absent: the workspace's. */
  user: z.string().optional(),
  /** The most that may be taken per hour; absent: no ceiling. A user without one has that of `each`. */
  ceiling: z.number().int().min(0).optional(),
  /** The most that a month may cost; absent: no ceiling. */
  monthly: z.number().int().min(0).optional(),
  /** Of a workspace: the ceiling per hour of each user who has none of their own; absent: none. */
  each: z.number().int().min(0).optional(),
  /** What is taken, per hour. */
  taken: z.number().int(),
  meter: Meter.optional(),
  /** The month, and the share of its ceiling in percent, that was told of last. */
  told: z.object({ month: z.string(), percent: z.number() }).optional(),
  /** Epoch ms at which there will be something to tell. */
  dueAt: z.number().optional(),
  frozen: Freeze.optional(),
  /** Of a workspace: how many clusters, hosts and GPUs are alive; absent: none. */
  held: Quota.Counts.optional(),
  /** Of a workspace: the limits that an admin has set. */
  quotas: Quota.Limits.optional(),
});
export type Budget = z.infer<typeof Budget>;

export const noun: Noun<Budget> = {
  type: "budget",
  schema: Budget,
  fields: new Set(Object.keys(Budget.shape)),
  key: record => Keys.budget(record.workspace, record.user),
  indexes: dueIndex,
};

function dueIndex({ workspace, user, dueAt, frozen }: Budget): Indexes {
  const at = Math.min(dueAt ?? Infinity, frozen?.dueAt ?? Infinity);
  const { pk, sk } = Keys.budget(workspace, user);
  return at === Infinity ? {} : { due: Keys.due(`${pk}#${sk}`, sk, at) };
}

/** What each user may spend per hour, and a workspace per month, until an admin says otherwise. */
export const DEFAULT_CEILING = 10 * MILLION;
export const DEFAULT_MONTHLY = 1000 * MILLION;

/** @param user whose; absent: the workspace's */
export const get = async (table: Table, workspace: string, user?: string): Promise<Stored<Budget>> =>
  (await load(table, noun, Keys.budget(workspace, user))) ?? {
    workspace,
    ...(user === undefined ? { each: DEFAULT_CEILING, monthly: DEFAULT_MONTHLY } : { user }),
    taken: 0,
    version: UNWRITTEN,
    rest: {},
  };

const ceiling = z.number().optional().meta({ description: "Absent: there is none" });

/** A budget, in US dollars. */
export const Info = z.object({
  user: z.string().optional().meta({ description: "Whose it is; absent: the workspace's" }),
  hourly: z.object({
    ceiling,
    taken: z.number().meta({ description: "By clusters that run, or are about to" }),
  }),
  monthly: z.object({
    ceiling,
    month: z.string(),
    spent: z.number().meta({ description: "What the month has cost by now" }),
    forecast: z.number().meta({ description: "What it will have cost when all goes on as it does now" }),
  }),
  each: z
    .number()
    .optional()
    .meta({ description: "Of a workspace: the ceiling per hour of each user who has none of their own" }),
  frozen: Freeze.pick({ by: true, at: true, stop: true, terminate: true })
    .extend({ done: z.boolean().meta({ description: "Whether all has stopped that is to" }) })
    .optional()
    .meta({ description: "Nothing begins any more, until an admin says otherwise" }),
});
export type Info = z.infer<typeof Info>;

const shown = (amount: number | undefined) => (amount === undefined ? undefined : amount / MILLION);

/** @param whole the workspace's budget, for one of a user's */
export function info(budget: Budget, now: number, whole?: Budget): Info {
  const month = monthOf(now);
  const { frozen } = budget;
  return Info.parse({
    user: budget.user,
    hourly: { ceiling: shown(budget.ceiling ?? whole?.each), taken: budget.taken / MILLION },
    monthly: {
      ceiling: shown(budget.monthly),
      month,
      spent: (spentIn(budget.meter, month, now) ?? 0) / MILLION,
      forecast: forecast(budget.meter, month, now) / MILLION,
    },
    each: shown(budget.each),
    ...(frozen && { frozen: { ...frozen, done: frozen.dueAt === undefined } }),
  });
}

const Ceiling = z.number().min(0).max(1_000_000_000).nullable();

/** What an admin may set, in US dollars; null: no ceiling. What is absent stays as it is. */
export const Change = z.strictObject({
  user: z.string().min(1).max(200).optional().meta({ description: "Whose; absent: the workspace's" }),
  hourly: Ceiling.optional(),
  monthly: Ceiling.optional(),
  each: Ceiling.optional().meta({
    description: "Of a workspace: the ceiling per hour of each user who has none of their own",
  }),
});
export type Change = z.infer<typeof Change>;
export const Query = z.object({ user: z.string().min(1).max(200).optional() });

/** What so many hosts take. */
export const amountOf = (offer: Pick<Offer, "hourly">, nodes: number): number => rateOf(offer.hourly, nodes);

const kept = (ceiling: number | null): number | undefined =>
  ceiling === null ? undefined : Math.round(ceiling * MILLION);

/** What of the record changes. */
export const patchOf = ({ hourly, monthly, each }: Change): Pick<Partial<Budget>, "ceiling" | "monthly" | "each"> => ({
  ...(hourly !== undefined && { ceiling: kept(hourly) }),
  ...(monthly !== undefined && { monthly: kept(monthly) }),
  ...(each !== undefined && { each: kept(each) }),
});
