/** Addresses for machines that are all this one: Linux answers on all of 127.0.0.0/8, other systems on 127.0.0.1 alone. */
import { platform } from "node:os";

const FIRST = 2;
const COUNT = 254 * 250;

/** The n-th address of 127.77.0.0/16, skipping .0 and .255. */
const nth = (index: number): string => `127.77.${Math.floor(index / 250)}.${FIRST + (index % 250)}`;

/** An address that none of `taken` has. */
export function freeAddress(taken: ReadonlySet<string>): string {
  if (platform() !== "linux") return "127.0.0.1";
  for (let index = 0; index < COUNT; index++) if (!taken.has(nth(index))) return nth(index);
  return "127.0.0.1";
}
