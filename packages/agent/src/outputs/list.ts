/**
 * The list of what is kept, made once when the try's processes have ended and then worked through: on the disk, so that
 * the next agent goes on where this one ended, and so that many files take little memory.
 */
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { lstat, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readJson, writeWhole } from "../disk.ts";
import { markOf } from "../keep/file.ts";
import { bytesOf, type Raw } from "../keep/names.ts";
import { type Found, joined, scan, type Why } from "../keep/scan.ts";
import type { Root } from "./places.ts";

export interface Limits {
  readonly files: number;
  readonly bytes: number;
}

/** What is left out, and why; and what there is. */
export interface Summary {
  readonly files: number;
  readonly bytes: number;
  readonly absent: readonly string[];
  readonly skipped: Readonly<Record<Why | "files" | "bytes", number>>;
}

/** One line of the list. */
export interface Item {
  /** As it is kept. */
  readonly path: Raw;
  /** Where it is; a link has none. */
  readonly file?: Raw;
  readonly size: number;
  readonly target?: string;
  readonly mtime?: number;
}

const LIST = "outputs.list";
const SUMMARY = "outputs.json";

/** Makes the list, unless it was made before. Aborts with the signal. */
export async function makeList(
  folder: string,
  { roots, absent }: { readonly roots: readonly Root[]; readonly absent: readonly string[] },
  limits: Limits,
  signal: AbortSignal,
): Promise<Summary> {
  const known = existsSync(join(folder, LIST)) ? readJson<Summary>(join(folder, SUMMARY)) : undefined;
  if (known !== undefined) return known;
  const counts = { files: 0, bytes: 0, skipped: { link: 0, special: 0, unreadable: 0, files: 0, bytes: 0 } };
  const lines = async function* (): AsyncGenerator<string> {
    for (const root of roots) for await (const item of itemsOf(root, counts, limits)) yield lineOf(item);
  };
  const beside = join(folder, `${LIST}.new`);
  await pipeline(Readable.from(lines()), createWriteStream(beside, { mode: 0o600 }), { signal });
  const summary = { ...counts, absent };
  writeWhole(join(folder, SUMMARY), JSON.stringify(summary));
  await rename(beside, join(folder, LIST));
  return summary;
}

/** What some readers of lines take for the end of one is escaped. */
const lineOf = (item: Item): string =>
  `${JSON.stringify(item).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")}\n`;

async function* itemsOf(root: Root, counts: Counts, limits: Limits): AsyncGenerator<Item> {
  for await (const found of under(root, limits)) {
    const item = take(root, found, counts, limits);
    if (item !== undefined) yield item;
    // What is over the limit is only counted, and there may be no end of it.
    if (counts.skipped.files > limits.files) break;
  }
}

type Counts = { files: number; bytes: number; skipped: Record<Why | "files" | "bytes", number> };

async function* under(root: Root, limits: Limits): AsyncGenerator<Found> {
  if (!root.isFile)
    return yield* scan({
      base: root.base,
      aliases: [root.alias],
      enters: root.enters,
      wants: root.wants,
      most: limits.files * 2 + 1,
    });
  const stats = await lstat(bytesOf(root.base), { bigint: true });
  yield { kind: "file", path: "", file: root.base, size: Number(stats.size), mark: markOf(stats) };
}

/** Undefined for what is left out, which is counted. */
function take(root: Root, found: Found, counts: Counts, limits: Limits): Item | undefined {
  if (found.kind === "skipped") {
    counts.skipped[found.why]++;
    return undefined;
  }
  const size = found.kind === "file" ? found.size : 0;
  if (counts.files >= limits.files) {
    counts.skipped.files++;
    return undefined;
  }
  if (counts.bytes + size > limits.bytes) {
    counts.skipped.bytes++;
    return undefined;
  }
  counts.files++;
  counts.bytes += size;
  const path = found.path === "" ? root.name : joined(root.name, found.path);
  if (found.kind === "link") return { path, size, target: found.target, mtime: found.mtime };
  return { path, file: found.file, size };
}

/** Most items of a part of the manifest, and most characters. */
const PER_PART = 500;
const PART_LENGTH = 200_000;

/** The list in parts, from a part on. The same list makes the same parts. */
export async function* parts(folder: string, from: number): AsyncGenerator<readonly Item[]> {
  const lines = createInterface({ input: createReadStream(join(folder, LIST)), crlfDelay: Number.POSITIVE_INFINITY });
  let part = 0;
  let length = 0;
  let items: Item[] = [];
  for await (const line of lines) {
    items.push(JSON.parse(line) as Item);
    length += line.length;
    if (items.length < PER_PART && length < PART_LENGTH) continue;
    if (part >= from) yield items;
    part++;
    items = [];
    length = 0;
  }
  if (items.length > 0 && part >= from) yield items;
}
