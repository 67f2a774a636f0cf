/**
 * Limits of how often: of requests by token, in the memory of one function's instance; and of failures of authentication
 * by address, counted in the table. The first is approximate on purpose: as many instances as answer at a time, so many
 * times the limit. It keeps a loop that runs wild from the others, and costs nothing.
 */
import { MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import { type Key, type Table, WriteConflict } from "@muster/core/ports/table.ts";

/** Requests of one token that an instance answers: so many at once, and then so many in a second. */
export const BURST = 200;
export const PER_SECOND = 20;

/** Failures of authentication from one address in a minute; those beyond are told to wait. */
export const MOST_FAILURES = 60;
const WINDOW = 60_000;
/** How often one is tried to be counted. */
const TRIES = 3;

/** Most that an instance remembers; what it forgets begins anew. */
const MOST_KNOWN = 10_000;

/** @throws MusterError `too_many`. */
export type Limit = (key: string) => void;

/** A bucket of tokens for each key (https://en.wikipedia.org/wiki/Token_bucket). */
export function limiter(clock: Clock): Limit {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return key => {
    const now = clock.now();
    const { left, at } = buckets.get(key) ?? { left: BURST, at: now };
    const full = Math.min(BURST, left + ((now - at) / 1000) * PER_SECOND);
    if (full < 1) throw tooMany("these are too many requests with one token", 1);
    if (buckets.size >= MOST_KNOWN) buckets.clear();
    buckets.set(key, { left: full - 1, at: now });
  };
}

interface Counted {
  readonly count: number;
  readonly version: number;
}

type Failures = (from: string) => Promise<void>;

/**
 * Counts a failure of authentication without reading: what others have counted, a write that conflicts tells. One that loses
 * too often against others goes uncounted.
 */
export function failures({ table, clock }: { readonly table: Table; readonly clock: Clock }): Failures {
  let window = 0;
  const known = new Map<string, Counted>();
  return async from => {
    const now = clock.now();
    const start = now - (now % WINDOW);
    if (start !== window || known.size >= MOST_KNOWN) known.clear();
    window = start;
    const place = placeOf(from);
    const before = known.get(place) ?? { count: 0, version: 0 };
    const after =
      before.count > MOST_FAILURES ? before : await count(table, Keys.refusals(place, start), before, TRIES);
    known.set(place, after);
    if (after.count <= MOST_FAILURES) return;
    throw tooMany("too many requests from your address had no valid token", Math.ceil((start + WINDOW - now) / 1000));
  };
}

async function count(table: Table, key: Key, before: Counted, tries: number): Promise<Counted> {
  const expiresAt = Number(key.sk) + 2 * WINDOW;
  const after = { count: before.count + 1, version: before.version + 1 };
  const put = { ...key, type: "refusals", data: { count: after.count }, expiresAt };
  try {
    await table.write([{ put, expect: before.version === 0 ? "absent" : before.version }]);
    return after;
  } catch (error) {
    const found = error instanceof WriteConflict ? error.conflicts[0]?.found : undefined;
    // Whoever is not let in need not know that the table is busy.
    if (found === undefined) return before;
    const now = { count: Number(found.data.count), version: found.version };
    return tries === 1 || now.count > MOST_FAILURES ? now : count(table, key, now, tries - 1);
  }
}

/** Whoever has an address of version 6 has a network of them, of 64 bits. */
function placeOf(from: string): string {
  if (!from.includes(":")) return from;
  const [head = ""] = from.split("::");
  return [...head.split(":"), "0", "0", "0", "0"].slice(0, 4).join(":");
}

const tooMany = (message: string, retryAfter: number): MusterError =>
  new MusterError("too_many", message, { retryAfter, hint: `try again in ${retryAfter} s` });
