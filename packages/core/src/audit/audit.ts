/**
 * The audit: what people and programs did in a workspace. Events with a `via` are kept once more, by the day, for longer than
 * the nouns that they happened to; and each day that is over is written to the bucket, as JSON lines.
 */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Draft, Item } from "../ports/table.ts";

const DAY = 24 * 3_600_000;

/** How long the table keeps it, in ms; the bucket keeps it until somebody removes it. */
export const KEPT = 400 * DAY;

/** How long after a day's end its lines are written to the bucket, in ms: nearly all of them are there by then. */
const PATIENCE = 3_600_000;

/** The day, in UTC, such as `2026-11-22`. @param at epoch ms */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Epoch ms at which a day begins. */
export const startOf = (day: string): number => Date.parse(`${day}T00:00:00Z`);

export const dayBefore = (day: string): string => dayOf(startOf(day) - DAY);

/** How far a day's lines are in the bucket. */
export const Day = z.object({
  workspace: z.string(),
  /** The day itself. */
  id: z.string(),
  /** `open`: lines may be missing in the bucket; `writing`: somebody looks which; `done`: none that were there then. */
  state: z.enum(["open", "writing", "done"]),
  /** How many parts there are. */
  parts: z.number().int(),
  /** Epoch ms at which somebody must look; absent when it is done. */
  dueAt: z.number().optional(),
});
export type Day = z.infer<typeof Day>;

export function draft(day: Day): Draft {
  const due = day.dueAt !== undefined && { due: Keys.outboxDue(`${day.workspace} ${day.id}`, day.dueAt) };
  const key = Keys.auditDay(day.workspace, day.id);
  return { ...key, type: "auditday", data: day, indexes: { ...due }, expiresAt: startOf(day.id) + DAY + KEPT };
}

/** A day of which lines are to be written: when it is over, and not at once for each line that comes later. */
export const opened = (workspace: string, id: string, parts: number, now: number): Day => ({
  workspace,
  id,
  state: "open",
  parts,
  dueAt: Math.max(startOf(id) + DAY, now) + PATIENCE,
});

export const read = (item: Item): Day & { readonly version: number } => ({
  ...Day.parse(item.data),
  version: item.version,
});

/** Where a part of a day's lines is. */
export const partOf = (workspace: string, day: string, part: number): string =>
  `audit/${workspace}/${day}/${String(part).padStart(4, "0")}.jsonl`;
