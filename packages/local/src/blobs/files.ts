/**
 * Blobs as files. A blob appears whole or not at all: it is written beside, synced, then renamed into place.
 *
 * Gotchas: removing the last blob of a folder removes the folder, which may happen between another put's making it and
 * using it; that put makes it again.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BlobHead } from "@muster/core/ports/blobs.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import { compare, fileOf, folderOf, read } from "./keys.ts";

/** A blob's bytes, in one piece or as they come. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

export interface Files {
  put(key: string, content: Content): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** The caller closes what it gets. */
  open(key: string): Promise<FileHandle | undefined>;
  head(key: string): Promise<BlobHead | undefined>;
  /** In order of keys, from after `after`. */
  list(prefix: string, after: string): AsyncIterable<BlobHead>;
  remove(key: string): Promise<void>;
}

const ATTEMPTS = 100;
/** What making or using a folder says that is removed at that moment. */
const GONE = new Set<unknown>(["ENOENT", "ENOTDIR"]);
/** No upload takes longer: what is older was left by a crash. */
const STALE_MS = 24 * 3_600_000;

export function createFiles(folder: string, clock: Clock): Files {
  const blobs = join(folder, "blobs");
  const incoming = join(folder, "incoming");
  const pathOf = (key: string) => join(blobs, ...fileOf(key));
  let swept: Promise<void> | undefined;
  return {
    async put(key, content) {
      swept ??= sweep(incoming);
      await swept;
      const temporary = join(incoming, randomUUID());
      try {
        await write(temporary, content, clock);
        await place(temporary, pathOf(key));
      } finally {
        await rm(temporary, { force: true });
      }
    },
    get: key => present(readFile(pathOf(key))),
    open: key => present(open(pathOf(key))),
    head: key => headOf(pathOf(key), key),
    list: (prefix, after) => list(blobs, prefix, after),
    async remove(key) {
      await rm(pathOf(key), { force: true });
      await prune(blobs, fileOf(key).slice(0, -1));
    },
  };
}

/** Undefined for what is not there. */
async function present<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

async function headOf(path: string, key: string): Promise<BlobHead | undefined> {
  const found = await present(stat(path));
  return found && { key, size: found.size, writtenAt: Math.round(found.mtimeMs) };
}

async function write(path: string, content: Content, clock: Clock): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await using handle = await open(path, "wx", 0o600);
  await handle.writeFile(content);
  const seconds = clock.now() / 1000;
  await handle.utimes(seconds, seconds);
  await handle.sync();
}

async function place(temporary: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return await rename(temporary, path);
    } catch (error) {
      if (!GONE.has(codeOf(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Removes folders that became empty, from the innermost outwards. */
async function prune(root: string, path: readonly string[]): Promise<void> {
  for (let depth = path.length; depth > 0; depth--) {
    try {
      await rmdir(join(root, ...path.slice(0, depth)));
    } catch (error) {
      if (codeOf(error) === "ENOENT") continue;
      if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return;
      throw error;
    }
  }
}

async function* list(root: string, prefix: string, after: string): AsyncIterable<BlobHead> {
  const { path, start } = folderOf(prefix);
  yield* walk(join(root, ...path), start, key => overlaps(key, prefix) && reaches(key, after));
}

/** All blobs of a folder whose keys begin with `start`. `leads`: whether a beginning may lead to a key that is wanted. */
async function* walk(folder: string, start: string, leads: Leads): AsyncIterable<BlobHead> {
  const names = (await present(readdir(folder))) ?? [];
  const entries = names.flatMap(name => {
    const entry = read(name);
    return entry === undefined ? [] : [{ name, leaf: entry.leaf, key: start + entry.text }];
  });
  for (const { name, leaf, key } of entries.toSorted((a, b) => compare(a.key, b.key))) {
    if (!leads({ key, leaf })) continue;
    if (!leaf) yield* walk(join(folder, name), key, leads);
    const head = leaf ? await headOf(join(folder, name), key) : undefined;
    if (head !== undefined) yield head;
  }
}

interface Beginning {
  readonly key: string;
  /** It is a whole key. */
  readonly leaf: boolean;
}
type Leads = (beginning: Beginning) => boolean;

const overlaps = ({ key, leaf }: Beginning, prefix: string): boolean =>
  key.startsWith(prefix) || (!leaf && prefix.startsWith(key));

const reaches = ({ key, leaf }: Beginning, after: string): boolean =>
  compare(key, after) > 0 || (!leaf && after.startsWith(key));

/** Removes what crashes left behind. */
async function sweep(incoming: string): Promise<void> {
  for (const name of (await present(readdir(incoming))) ?? []) {
    const path = join(incoming, name);
    const found = await present(stat(path));
    // By the machine's own clock, as the file's time is until all of it is written.
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { force: true });
  }
}
