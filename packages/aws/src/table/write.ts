/**
 * Writes: applied once, and told truly, although answers get lost on the way.
 *
 * Each write has an id, which every item that it puts carries. A request whose answer was lost is repeated; its
 * condition then fails on our own item, and the id tells so. A transaction has the id as its token besides, by which
 * DynamoDB itself knows the repetition for ten minutes.
 *
 * Gotchas: a put whose answer was lost and whose item somebody has since replaced is told as a conflict. Of two removers
 * whose answers are lost both may hear that they removed it. Whoever must know puts a second item into the same write.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Conflict, type Expected, type Key, type Write, WriteConflict } from "@muster/core/ports/table.ts";
import { checkWrites, keyOf } from "@muster/core/table/rules.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { Fault } from "../fault.ts";
import { conditionOf } from "./condition.ts";
import { get } from "./get.ts";
import { decode, encode, encodeKey, isExpired, writeIdOf } from "./item.ts";
import type { Place } from "./place.ts";
import { reasonsOf, troubleOf } from "./trouble.ts";

type Of<K extends string> = Extract<Write, { readonly [kind in K]: unknown }>;

/** Of every request: its repetitions do no harm here, so we may say how many. */
const REPEATED = { attempts: 5 };

/** @throws WriteConflict, MusterError `invalid_request`, `too_large`, `busy`, `unavailable` (nobody knows whether it was written) */
export async function write(place: Place, writes: readonly Write[]): Promise<void> {
  checkWrites(writes);
  const [first] = writes;
  if (first === undefined || writes.length > 1) return transact(place, writes);
  if ("put" in first) return put(place, first);
  return "remove" in first ? remove(place, first) : check(place, first);
}

async function put(place: Place, only: Of<"put">): Promise<void> {
  const now = place.now();
  const writeId = randomUUID();
  const failure = await single(place, "PutItem", {
    Item: encode(only.put, versionAfter(only.expect), writeId),
    ...conditionOf(only.expect, now),
  });
  if (failure === undefined || isOurs(failure.found, writeId)) return;
  throw new WriteConflict([conflictOf(only, failure.found, now)]);
}

async function remove(place: Place, only: Of<"remove">): Promise<void> {
  const now = place.now();
  const input = { Key: encodeKey(only.remove), ...conditionOf(only.expect, now) };
  const failure = await single(place, "DeleteItem", input);
  // Gone, and one of our requests may have done it.
  if (failure === undefined || (failure.found === undefined && failure.doubt)) return;
  throw new WriteConflict([conflictOf(only, failure.found, now)]);
}

/** Nothing is written, so a strong read says as much as a transaction, for a tenth of its price. */
async function check(place: Place, only: Of<"check">): Promise<void> {
  const found = await get(place, only.check);
  if ((found?.version ?? "absent") === only.expect) return;
  throw new WriteConflict([{ ...expectationOf(only), ...(found !== undefined && { found }) }]);
}

interface Failure {
  /** The item on which the condition failed, as it was answered. */
  readonly found: unknown;
  /** Whether an earlier request may have been applied. */
  readonly doubt: boolean;
}

/** @returns how the condition failed; undefined when it held. */
async function single(
  { aws, name, timeout }: Place,
  operation: "PutItem" | "DeleteItem",
  input: object,
): Promise<Failure | undefined> {
  const watched = watching(aws);
  const whole = { TableName: name, ReturnConsumedCapacity: "TOTAL", ...input };
  try {
    await json(watched.aws, "dynamodb", operation, whole, { ...REPEATED, timeout });
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault && error.code === "ConditionalCheckFailedException"))
      throw troubleOf(error, watched.doubt());
    return { found: error.body.Item, doubt: watched.doubt() };
  }
}

/**
 * Who lost a race is told after a moment, of up to so many ms: it reads and writes again at once, and forty of them in step
 * would mostly beat each other.
 */
const STEP_ASIDE = 60;

async function transact(place: Place, writes: readonly Write[]): Promise<void> {
  const now = place.now();
  const writeId = randomUUID();
  const watched = watching(place.aws);
  const input = {
    TransactItems: writes.map(one => actionOf(place, one, now, writeId)),
    ClientRequestToken: writeId,
    ReturnConsumedCapacity: "TOTAL",
  };
  try {
    await json(watched.aws, "dynamodb", "TransactWriteItems", input, { ...REPEATED, timeout: place.timeout });
  } catch (error) {
    const reasons = reasonsOf(error);
    // All or nothing: one item of ours says that all was written.
    if (reasons.some(reason => isOurs(reason.Item, writeId))) return;
    const conflicts = writes.flatMap((one, n) =>
      reasons[n]?.Code === "ConditionalCheckFailed" ? [conflictOf(one, reasons[n].Item, now)] : [],
    );
    if (conflicts.length > 0) {
      await sleep(Math.random() * STEP_ASIDE);
      throw new WriteConflict(conflicts);
    }
    throw troubleOf(error, watched.doubt());
  }
}

function actionOf({ name: TableName }: Place, one: Write, now: number, writeId: string): object {
  const where = { TableName, ...conditionOf(one.expect, now) };
  if ("put" in one) return { Put: { ...where, Item: encode(one.put, versionAfter(one.expect), writeId) } };
  if ("remove" in one) return { Delete: { ...where, Key: encodeKey(one.remove) } };
  return { ConditionCheck: { ...where, Key: encodeKey(one.check) } };
}

const versionAfter = (expected: Expected): number => (expected === "absent" ? 1 : expected + 1);

const isOurs = (found: unknown, writeId: string): boolean => found !== undefined && writeIdOf(found) === writeId;

function conflictOf(one: Write, found: unknown, now: number): Conflict {
  const item = found === undefined ? undefined : decode(found);
  return { ...expectationOf(one), ...(item !== undefined && !isExpired(item, now) && { found: item }) };
}

function expectationOf(one: Write): { readonly key: Key; readonly expected: Expected } {
  const { pk, sk } = keyOf(one);
  return { key: { pk, sk }, expected: one.expect };
}

/** Hears of each request of one call, and remembers whether one may have been applied unheard. */
function watching(aws: Aws): { readonly aws: Aws; doubt(): boolean } {
  const state = { doubt: false };
  const onCall: Aws["onCall"] = call => {
    // Only what AWS refused outright is certain.
    if (call.status < 400 || call.status >= 500) state.doubt = true;
    aws.onCall?.(call);
  };
  return { aws: { ...aws, onCall }, doubt: () => state.doubt };
}
