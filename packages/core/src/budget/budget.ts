/**
 * Budgets: what a workspace's machines may cost per hour. What a cluster costs while it runs is taken in the transaction
 * that lets it run, so that no race can spend more; it is given back in the one that says that nothing runs any more.
 *
 * Amounts are millionths of a US dollar per hour, whole numbers, so that what is given back is what was taken.
 */
import * as z from "zod";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Offer } from "../ports/provider.ts";
import type { Table, Write } from "../ports/table.ts";
import { amend, load, type Noun, type Stored, UNWRITTEN } from "../record.ts";

export const Budget = z.object({
  workspace: z.string(),
  /** The most that may be taken. */
  ceiling: z.number().int().min(0),
  /** What is taken. */
  taken: z.number().int(),
});
export type Budget = z.infer<typeof Budget>;

export const noun: Noun<Budget> = {
  type: "budget",
  schema: Budget,
  fields: new Set(Object.keys(Budget.shape)),
  key: record => Keys.budget(record.workspace),
  indexes: () => ({}),
};

const MILLION = 1_000_000;

/** What a new workspace may spend per hour, until its admin says otherwise: $10. */
export const DEFAULT_CEILING = 10 * MILLION;

/** What so many hosts take. */
export const amountOf = (offer: Pick<Offer, "hourly">, nodes: number): number =>
  Math.round(offer.hourly * MILLION) * nodes;

export const get = async (table: Table, workspace: string): Promise<Stored<Budget>> =>
  (await load(table, noun, Keys.budget(workspace))) ?? {
    workspace,
    ceiling: DEFAULT_CEILING,
    taken: 0,
    version: UNWRITTEN,
    rest: {},
  };

/**
 * The write that takes `more` (or gives back, below zero); none when nothing changes, as where machines cost nothing.
 * @throws MusterError `over_budget` when that is more than the ceiling leaves.
 */
export async function take(table: Table, workspace: string, more: number): Promise<readonly Write[]> {
  if (more === 0) return [];
  const budget = await get(table, workspace);
  const taken = budget.taken + more;
  if (more > 0 && taken > budget.ceiling) throw tooMuch(budget, more);
  return [amend(noun, budget, { taken }).write];
}

function tooMuch(budget: Budget, more: number): MusterError {
  const left = Math.max(0, budget.ceiling - budget.taken);
  return new MusterError(
    "over_budget",
    `that would cost ${dollars(more)} per hour; ${dollars(left)} of ${dollars(budget.ceiling)} are left`,
    {
      hint: `end what is not needed (muster status), or let an admin raise the ceiling: muster budget --hourly ${Math.ceil((budget.taken + more) / MILLION)}`,
    },
  );
}

const dollars = (amount: number): string => `$${(amount / MILLION).toFixed(2)}`;

/** A workspace's budget, in US dollars per hour. */
export const Info = z.object({
  hourly: z.object({
    ceiling: z.number(),
    taken: z.number().meta({ description: "By clusters that run, or are about to" }),
  }),
});
export type Info = z.infer<typeof Info>;

export const info = (budget: Budget): Info => ({
  hourly: { ceiling: budget.ceiling / MILLION, taken: budget.taken / MILLION },
});

/** What an admin may set: US dollars per hour. */
export const Change = z.strictObject({ hourly: z.number().min(0).max(1_000_000) });
export type Change = z.infer<typeof Change>;

/** In the unit of the records. */
export const ceilingOf = (change: Change): number => Math.round(change.hourly * MILLION);
