/** Bytes of one node's log, counted from its beginning. */
import type { Blobs } from "../ports/blobs.ts";
import { endOf, type Head, type List, MOST } from "./chunks.ts";
import type { Choice } from "./phases.ts";

export interface Slice {
  readonly bytes: Uint8Array;
  /** Whether nothing is behind it, as far as the log has come home. */
  readonly atEnd: boolean;
}

/** Those from `offset` on, at most `limit`. A chunk that has outlived its time counts as none. */
export async function slice(
  blobs: Pick<Blobs, "get">,
  list: List,
  phases: Choice,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<Slice> {
  const parts: Uint8Array[] = [];
  const count = { bytes: 0, ahead: offset };
  for await (const head of chunksOf(list, phases)) {
    const skip = Math.min(count.ahead, head.size);
    count.ahead -= skip;
    if (skip === head.size) continue;
    if (count.bytes === limit) return { bytes: joined(parts), atEnd: false };
    const part = ((await blobs.get(head.key)) ?? new Uint8Array()).subarray(skip, skip + limit - count.bytes);
    parts.push(part);
    count.bytes += part.length;
    if (skip + part.length < head.size) return { bytes: joined(parts), atEnd: false };
  }
  return { bytes: joined(parts), atEnd: true };
}

async function* chunksOf(list: List, phases: Choice): AsyncGenerator<Head> {
  for (let from = 0; ; ) {
    const heads = await list(from, MOST);
    yield* heads.filter(head => phases.has(head.phase));
    if (heads.length < MOST) return;
    from = endOf(heads, from);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Without the beginning of a character of UTF-8 at the end, of which the rest is still to come. */
export function whole(bytes: Uint8Array): Uint8Array {
  // No character is longer than four bytes.
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes.at(-back) ?? 0;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) return lengthOf(byte) > back ? bytes.subarray(0, -back) : bytes;
  }
  return bytes;
}

function lengthOf(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}
