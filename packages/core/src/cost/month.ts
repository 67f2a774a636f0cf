/** Months, as bills have them: in UTC, named such as `2026-11`. */
import * as z from "zod";

export const Month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, "write a month such as 2026-11");

export const monthOf = (at: number): string => new Date(at).toISOString().slice(0, 7);

/** Epoch ms of its first moment. */
export const startOf = (month: string): number => Date.parse(`${month}-01T00:00:00Z`);

/** Epoch ms of the first moment after it. */
export function endOf(month: string): number {
  const [year = 0, number = 0] = month.split("-").map(Number);
  return Date.UTC(year, number, 1);
}
