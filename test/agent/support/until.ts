/** Waiting for something to become so, with a limit. */
import { setTimeout as pause } from "node:timers/promises";

/** Returns the first answer that is neither undefined nor false. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limit = 15_000,
): Promise<T> {
  for (const deadline = Date.now() + limit; ; await pause(10)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${limit} ms in vain for: ${what}`);
  }
}
