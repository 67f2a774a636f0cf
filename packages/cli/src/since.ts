/** A moment in the past, as a person writes it. */
import { InvalidArgumentError } from "commander";
import { seconds } from "./task-options.ts";

/** So long ago (`90`, `30s`, `10m`, `2h`, `1d`), or then (`2026-01-31T12:00`, local time unless it says otherwise). @returns epoch ms */
export function moment(given: string, now = Date.now()): number {
  if (/^\d+[smhd]?$/.test(given)) return now - seconds(given) * 1000;
  const at = /^\d{4}-\d\d-\d\d/.test(given) ? Date.parse(given) : Number.NaN;
  if (at >= 0) return at;
  throw new InvalidArgumentError("Write how long ago, such as 30s, 10m or 2h, or a time such as 2026-01-31T12:00.");
}
