/** What the table refuses whatever stands in it: DynamoDB's limits, so that what works on one machine works on AWS. */
import { MusterError } from "../error.ts";
import { type Key, MAX_WRITES, type Range, type Write } from "../ports/table.ts";

export const MAX_ITEM_BYTES = 400 * 1024;
export const MAX_WRITE_BYTES = 4 * 1024 * 1024;
export const MAX_PK_BYTES = 2048;
export const MAX_SK_BYTES = 1024;
export const MAX_LIMIT = 1000;

/** The key of the item that a write is about. */
export function keyOf(write: Write): Key {
  if ("put" in write) return write.put;
  return "remove" in write ? write.remove : write.check;
}

/** @throws MusterError `invalid_request`, `too_large` */
export function checkWrites(writes: readonly Write[]): void {
  if (writes.length < 1 || writes.length > MAX_WRITES)
    throw new MusterError("invalid_request", `a write takes 1 to ${MAX_WRITES} items, not ${writes.length}`);
  const seen = new Set<string>();
  for (const write of writes) {
    const { pk, sk } = keyOf(write);
    checkKey({ pk, sk });
    const name = JSON.stringify([pk, sk]);
    if (seen.has(name)) throw new MusterError("invalid_request", `${pk} ${sk} comes twice in one write`);
    seen.add(name);
  }
  checkSizes(writes);
}

function checkSizes(writes: readonly Write[]): void {
  const texts = writes.map(textOf);
  // Nearly all are so short that nothing need be counted.
  if (texts.reduce((sum, text) => sum + text.length, 0) * MOST_PER_UNIT <= MAX_ITEM_BYTES) return;
  const sizes = texts.map(bytes);
  for (const [index, write] of writes.entries()) checkSize(keyOf(write), sizes[index] ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > MAX_WRITE_BYTES)
    throw new MusterError("too_large", `this write has ${total} bytes; one has at most ${MAX_WRITE_BYTES}`);
}

function checkSize({ pk, sk }: Key, size: number): void {
  if (size > MAX_ITEM_BYTES)
    throw new MusterError("too_large", `${pk} ${sk} has ${size} bytes; an item has at most ${MAX_ITEM_BYTES}`);
}

/** The whole item as JSON, whose bytes are near enough to what DynamoDB counts. */
function textOf(write: Write): string {
  if (!("put" in write)) return "";
  for (const key of Object.values(write.put.indexes ?? {})) checkKey(key);
  return JSON.stringify(write.put);
}

/** @throws MusterError `invalid_request` */
export function checkKey(key: Key): void {
  checkPart("pk", key.pk, MAX_PK_BYTES);
  checkPart("sk", key.sk, MAX_SK_BYTES);
}

/** @throws MusterError `invalid_request` */
export function checkRange(range: Range & { readonly pk: string }): void {
  checkPart("pk", range.pk, MAX_PK_BYTES);
  for (const bound of [range.prefix, range.upTo]) checkBound(bound);
  const { limit } = range;
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT))
    throw new MusterError("invalid_request", `a page has 1 to ${MAX_LIMIT} items, not ${limit}`);
}

function checkBound(bound: string | undefined): void {
  if (bound === undefined) return;
  if (!bound.isWellFormed()) throw new MusterError("invalid_request", "a bound of a range is not well-formed text");
  // DynamoDB takes no bound that is longer than any sort key.
  if (isLonger(bound, MAX_SK_BYTES))
    throw new MusterError("invalid_request", `a bound of a range has at most ${MAX_SK_BYTES} bytes`);
}

/** Of UTF-8. */
const bytes = (text: string): number => encoder.encode(text).length;
const encoder = new TextEncoder();

/** How many bytes of UTF-8 a code unit takes at most: what is short enough by this need not be encoded. */
const MOST_PER_UNIT = 3;

const isLonger = (text: string, most: number): boolean => text.length * MOST_PER_UNIT > most && bytes(text) > most;

function checkPart(name: "pk" | "sk", text: string, most: number): void {
  if (text.length < 1 || isLonger(text, most))
    throw new MusterError("invalid_request", `a ${name} has 1 to ${most} bytes, this one has ${bytes(text)}`);
  // UTF-8 has no half surrogates: two such keys would become one.
  if (!text.isWellFormed()) throw new MusterError("invalid_request", `a ${name} is not well-formed text`);
}
