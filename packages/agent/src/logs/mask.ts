/**
 * Hides secrets in what jobs print. Values are looked for line by line, since a value with several is printed in pieces:
 * every line of four characters or more, without the spaces around it.
 *
 * A byte is hidden when it is part of any find, and each run of such bytes becomes `***`. So whether it is hidden depends on
 * the bytes near it alone, not on where a chunk begins: chunks can be cut anywhere, and come out the same each time, as
 * long as the bytes behind the cut that could make it part of a find are known. Nothing becomes longer by this.
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { Assignment } from "../types.ts";

/** Shorter ones are in every other word; `***` is not to be longer than what it hides. */
const SHORTEST = 4;
/** Files hold more than secrets: their short lines are brackets and names. */
const SHORTEST_OF_FILES = 8;
const HIDDEN = Buffer.from("***");

export class Mask {
  readonly #patterns: readonly Buffer[];
  /** By their first four bytes, the longest first. */
  readonly #byHead = new Map<number, Buffer[]>();
  /** Where nothing stands, no pattern begins with these four bytes: most of them are told apart by one look. */
  readonly #heads = new Uint8Array(1 << 16);
  /** How far from a byte what hides it can begin or end. */
  readonly #reach: number;

  /** Nothing is hidden when there are no patterns. None may hold a line end, or be shorter than four bytes. */
  constructor(patterns: readonly string[]) {
    this.#patterns = [...new Set(patterns)].map(pattern => Buffer.from(pattern)).sort((a, b) => b.length - a.length);
    this.#reach = Math.max(0, (this.#patterns[0]?.length ?? 0) - 1);
    for (const pattern of this.#patterns) {
      const head = pattern.readInt32BE(0);
      this.#heads[slotOf(head)] = 1;
      this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), pattern]);
    }
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  text(text: string): string {
    const bytes = Buffer.from(text);
    return this.#hide(bytes, 0, bytes.length).toString();
  }

  /** A file's bytes from `from` to `to`, hidden. */
  read(path: string, from: number, to: number): Buffer {
    const start = Math.max(0, from - this.#reach - 1);
    const bytes = bytesOf(path, start, to + this.#reach);
    return this.#hide(bytes, from - start, Math.min(to - start, bytes.length));
  }

  /** The first byte of a file of this size that may yet become part of a find, when the file grows; its size if there is none. */
  known(path: string, size: number): number {
    const start = Math.max(0, size - this.#reach);
    const tail = this.isEmpty ? Buffer.alloc(0) : bytesOf(path, start, size);
    const begun = this.#patterns.map(pattern => begins(tail, pattern)).filter(at => at >= 0);
    return begun.length === 0 ? size : start + Math.min(...begun);
  }

  /** The bytes from `from` to `to`; those around them say what is hidden. */
  #hide(bytes: Buffer, from: number, to: number): Buffer {
    const parts: Buffer[] = [];
    let at = from;
    for (const [start, end] of this.#runs(bytes)) {
      if (end <= from) continue;
      if (start >= to) break;
      if (start > at) parts.push(bytes.subarray(at, start));
      // Of a run that began before, the stars are there already.
      if (start >= from) parts.push(HIDDEN);
      at = Math.min(end, to);
    }
    if (at === from) return bytes.subarray(from, Math.max(from, to));
    if (at < to) parts.push(bytes.subarray(at, to));
    return Buffer.concat(parts);
  }

  /** Where bytes are hidden, in order; runs neither overlap nor touch. One pass, however many patterns there are. */
  #runs(bytes: Buffer): Run[] {
    const runs: Run[] = [];
    if (this.isEmpty) return runs;
    const heads = this.#heads;
    for (let index = 0, head = 0; index < bytes.length; index++) {
      head = (head << 8) | (bytes[index] ?? 0);
      if (heads[slotOf(head)] === 0 || index < 3) continue;
      const start = index - 3;
      const found = this.#byHead.get(head)?.find(pattern => isAt(bytes, start, pattern));
      if (found !== undefined) extend(runs, start, start + found.length);
    }
    return runs;
  }
}

type Run = [from: number, to: number];

function extend(runs: Run[], start: number, end: number): void {
  const last = runs.at(-1);
  if (last === undefined || start > last[1]) runs.push([start, end]);
  else last[1] = Math.max(last[1], end);
}

/** Sixteen bits of four bytes, well mixed (Knuth's multiplicative hash). */
const slotOf = (head: number): number => Math.imul(head, 0x9e3779b1) >>> 16;

const isAt = (bytes: Buffer, start: number, pattern: Buffer): boolean =>
  start + pattern.length <= bytes.length && pattern.compare(bytes, start, start + pattern.length) === 0;

/** Where a pattern begins whose end would lie behind the tail; -1 when none does. */
function begins(tail: Buffer, pattern: Buffer): number {
  const first = pattern[0] ?? 0;
  const from = Math.max(0, tail.length - pattern.length + 1);
  for (let at = tail.indexOf(first, from); at >= 0; at = tail.indexOf(first, at + 1))
    if (tail.subarray(at).equals(pattern.subarray(0, tail.length - at))) return at;
  return -1;
}

/** What there is of them. */
function bytesOf(path: string, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  const file = openSync(path, "r");
  try {
    let got = 0;
    for (let more = -1; more !== 0 && got < bytes.length; got += more)
      more = readSync(file, bytes, got, bytes.length - got, from + got);
    return bytes.subarray(0, got);
  } finally {
    closeSync(file);
  }
}

/** What an assignment holds that nobody is to read in a log. */
export function maskOf({ secretNames, env, secretFiles }: Assignment): Mask {
  const values = secretNames.flatMap(name => linesOf(env[name] ?? "", SHORTEST));
  const files = secretFiles.flatMap(({ content }) =>
    linesOf(Buffer.from(content, "base64").toString(), SHORTEST_OF_FILES),
  );
  return new Mask([...values, ...files]);
}

const linesOf = (text: string, shortest: number): string[] =>
  text
    .split(/[\r\n]+/)
    .map(line => line.trim())
    .filter(line => line.length >= shortest);
