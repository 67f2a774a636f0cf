/**
 * How a verb's writes reach the table: all in one transaction, together with the caller's idempotency claim, which holds
 * the answer. A repeated request finds the claim and gets the same answer; the effect happened once.
 */
import * as z from "zod";
import type { Actor } from "./actor/actor.ts";
import { MusterError } from "./error.ts";
import * as Keys from "./keys.ts";
import type { Clock } from "./ports/ports.ts";
import { type Item, type Table, type Write, WriteConflict } from "./ports/table.ts";

/** How long a claim is kept, in ms. */
export const CLAIM_TTL = 24 * 3_600_000;

const Stored = z.object({ request: z.string(), answer: z.unknown() });

/** Thrown where a request turns out to be a repetition: carries the first one's answer. */
export class Replay extends Error {
  readonly answer: unknown;

  constructor(answer: unknown) {
    super("this request was answered before");
    this.name = "Replay";
    this.answer = answer;
  }
}

type Part = { readonly table: Table; readonly clock: Clock };

/**
 * @param writes may be none: then only the claim is kept, or the same request would mean something else when it comes again.
 * @param answer what the verb is about to return; kept for repetitions.
 * @throws Replay when the same request was committed before.
 * @throws WriteConflict when the world has moved on: read again.
 */
export async function commit(world: Part, actor: Actor, writes: readonly Write[], answer: unknown): Promise<void> {
  if (actor.claim === undefined) return writes.length === 0 ? undefined : world.table.write(writes);
  const key = Keys.claim(actor.workspace, actor.claim.key);
  const put = {
    ...key,
    type: "claim",
    data: { request: actor.claim.request, answer },
    expiresAt: world.clock.now() + CLAIM_TTL,
  };
  try {
    await world.table.write([...writes, { put, expect: "absent" }]);
  } catch (error) {
    const claimed =
      error instanceof WriteConflict ? error.conflicts.find(conflict => conflict.key.pk === key.pk) : undefined;
    if (claimed?.found) throw new Replay(answerOf(claimed.found, actor));
    throw error;
  }
}

/** The answer that this request got before; undefined when it is new. @throws MusterError `idempotency_mismatch`. */
export async function findClaim(
  world: Pick<Part, "table">,
  actor: Actor,
): Promise<{ readonly answer: unknown } | undefined> {
  if (actor.claim === undefined) return undefined;
  const item = await world.table.get(Keys.claim(actor.workspace, actor.claim.key));
  return item && { answer: answerOf(item, actor) };
}

function answerOf(item: Item, actor: Actor): unknown {
  const stored = Stored.parse(item.data);
  if (stored.request === actor.claim?.request) return stored.answer;
  throw new MusterError("idempotency_mismatch", "this Idempotency-Key was used for another request", {
    hint: "send a new key with a new request",
  });
}

/** How often a verb reads again after it lost a race, and how often after the store refused. */
const RACES = 12;
const REFUSALS = 3;

/**
 * Runs a read-decide-write until its write meets the table as it was read. A refusal wrote nothing either, so it is run
 * again as well; the pauses between are the store's own.
 * @throws MusterError `busy` when it never does.
 */
export async function retrying<T>(run: () => Promise<T>): Promise<T> {
  let refusals = 0;
  for (let attempt = 1; attempt <= RACES; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (error instanceof MusterError && error.code === "busy" && ++refusals < REFUSALS) continue;
      if (!(error instanceof WriteConflict)) throw error;
    }
  }
  throw new MusterError("busy", "too many changes at once; try again");
}
