/** Times as task files have them. */
import { decimal } from "./resources.ts";

/** Seconds of each unit of time, the longest first. */
const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
];

/** In the longest unit of which it is a whole number. */
export function time(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size && seconds % size === 0) ?? ["s", 1];
  return `${decimal(seconds / size)}${unit}`;
}
