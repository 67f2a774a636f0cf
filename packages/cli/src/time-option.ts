/** Moments as people write them in options. */
import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = {
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Parses an option into epoch ms: so long ago (`90m`, `2h`, `3d`; a number alone is seconds), a day, or a time of a day, in
 * local time or with a zone.
 */
export function instant(given: string, now = Date.now()): number {
  const [, count, unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)([smhdw]?)$/.exec(given) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  // A day alone would be taken for UTC's.
  const at = /^\d{4}-\d{2}-\d{2}/.test(given) ? Date.parse(given.length === 10 ? `${given}T00:00` : given) : Number.NaN;
  if (!(at >= 0))
    throw new InvalidArgumentError("Write how long ago (90m, 2h, 3d), a day (2026-01-31), or a time of it.");
  return at;
}
