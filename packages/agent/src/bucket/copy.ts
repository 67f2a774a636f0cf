/**
 * Copies a bucket, or what lies under a prefix, to a place: below `prefix/` each object becomes a file of the rest of its
 * key, and an object that is called exactly as the prefix becomes a file at the place itself.
 *
 * Safe to do again from the start: a file appears whole or not at all, with the object's size and time, and one that has
 * both is not fetched again. What else lies at the place stays there.
 */
import { createWriteStream, lstatSync } from "node:fs";
import { rm, utimes } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { hasCode } from "../disk.ts";
import { type Account, give } from "../host/account.ts";
import { makeFolder, makeReal } from "../inputs/folder.ts";
import { InputError } from "../inputs/place.ts";
import { whole } from "../inputs/whole.ts";
import { Hiccup, type Item, type Store } from "./store.ts";

const AT_ONCE = 8;

export interface Copying {
  readonly name: string;
  /** As people know it, `s3://bucket/prefix`. */
  readonly source: string;
  readonly prefix: string;
  readonly place: string;
  readonly owner: Account | undefined;
  /** The attempt's name among those of this host. */
  readonly attempt: string;
}

/** Of one copy: what it knows beside its order. */
interface Copy extends Copying {
  readonly store: Store;
  /** Folders below the place that are known to be there, and to be folders. */
  readonly folders: Set<string>;
}

/** @throws InputError when nothing is there or a key cannot be a path; Denied when S3 says no */
export async function copy(store: Store, copying: Copying): Promise<void> {
  const all = { ...copying, store, folders: new Set<string>() };
  const { prefix } = copying;
  const below = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  if (await copyBelow(all, below)) return;
  const single = below === prefix ? undefined : (await store.page(prefix, undefined, 1)).items[0];
  if (single?.key !== prefix)
    throw new InputError(`${copying.name}: there is nothing at ${copying.source}; look for a typing error in it`);
  const { name, source, place, owner } = copying;
  if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(
      `${name}: ${source} is one object, and a folder is at its place on this host: name a file in it`,
    );
  await makeFolder(dirname(place), owner);
  await bring(all, single, place);
}

/** Whether there was anything. */
async function copyBelow(copy: Copy, below: string): Promise<boolean> {
  let found = false;
  for await (const items of copy.store.list(below)) {
    if (items.length === 0) continue;
    if (!found) await makeFolder(copy.place, copy.owner);
    found = true;
    await inParallel(items, item => put(copy, item, item.key.slice(below.length)));
  }
  return found;
}

/** What fails first is thrown when all that was begun has ended. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const problems: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (problems.length > 0) return;
      await work(item).catch((error: unknown) => problems.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (problems.length > 0) throw problems[0];
}

async function put(copy: Copy, item: Item, rest: string): Promise<void> {
  // The prefix itself, as an empty object: what consoles make when they are asked for a folder.
  if (rest === "") return;
  const segments = segmentsOf(copy, item.key, rest);
  const isFolder = rest.endsWith("/");
  await makeFolders(copy, isFolder ? segments : segments.slice(0, -1));
  if (isFolder) return;
  await bring(copy, item, join(copy.place, ...segments));
}

/** @throws InputError for a key that would lead out of the place, or has no file of its name */
function segmentsOf({ name }: Copy, key: string, rest: string): string[] {
  const segments = (rest.endsWith("/") ? rest.slice(0, -1) : rest).split("/");
  if (segments.some(one => one === "" || one === "." || one === ".." || one.includes("\0")))
    throw new InputError(`${name}: the object ${JSON.stringify(key)} has a key that no file can have`);
  return segments;
}

async function makeFolders(copy: Copy, segments: readonly string[]): Promise<void> {
  for (let depth = 1; depth <= segments.length; depth++) {
    const path = join(copy.place, ...segments.slice(0, depth));
    if (copy.folders.has(path)) continue;
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) await mustBeLeftOver(copy, segments.slice(0, depth));
    await makeReal(path, copy.owner);
    copy.folders.add(path);
  }
}

/** A file where a folder is to be: it may go, unless it is an object of this very bucket. */
async function mustBeLeftOver(copy: Copy, segments: readonly string[]): Promise<void> {
  const { prefix, store } = copy;
  const key = `${prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`}${segments.join("/")}`;
  const [first] = (await store.page(key, undefined, 1)).items;
  if (first?.key === key) throw clash(copy, key);
}

const clash = ({ name }: Copy, key: string): InputError =>
  new InputError(
    `${name}: ${JSON.stringify(key)} is an object, and there are others below it: no folder can hold both`,
  );

async function bring(copy: Copy, item: Item, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw clash(copy, item.key);
  if (found?.isFile() && found.size === item.size && isTimeOf(found.mtimeMs, item)) return;
  const time = new Date(item.modifiedAt);
  const made = whole(path, copy.attempt, async beside => {
    await copy.store.read(item.key, answer => write(answer, item, beside));
    await utimes(beside, time, time);
    give(copy.owner, beside);
  });
  await made.catch((error: unknown) => {
    // The folder was made for another object meanwhile.
    throw hasCode(error, "EISDIR", "ENOTEMPTY") ? clash(copy, item.key) : error;
  });
}

/** File systems keep times more coarsely than numbers do. */
const isTimeOf = (time: number, { modifiedAt }: Item): boolean => Math.abs(time - modifiedAt) < 1;

async function write(answer: IncomingMessage, { key, size }: Item, beside: string): Promise<void> {
  // An object that was written again since it was listed is as good, as long as it is whole.
  const length = Number(answer.headers["content-length"] ?? size);
  await rm(beside, { force: true });
  const file = createWriteStream(beside, { flags: "wx", mode: 0o644 });
  await pipeline(answer, file);
  if (file.bytesWritten !== length) throw new Hiccup(`${key} broke off after ${file.bytesWritten} of ${length} bytes`);
}
