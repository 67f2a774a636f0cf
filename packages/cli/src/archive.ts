/**
 * A folder as one gzipped tar archive that depends on its files alone: sorted, without times, owners or numbers of the
 * machine. The same folder is the same bytes, so that it is uploaded once.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { create } from "tar";
import { enter, isIgnored, type Scope, scopeOf } from "./ignored.ts";

export interface Entry {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly size: number;
}

export interface Listing {
  readonly root: string;
  readonly entries: readonly Entry[];
  readonly bytes: number;
  /** Links that lead out of the folder, which will lead nowhere on a host. */
  readonly stray: readonly string[];
}

export interface Packed {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
}

/** What of a folder would be sent, in the order of the archive. */
export function list(root: string): Listing {
  const found = walk(root, root, scopeOf(root));
  const entries = found.sort((a, b) => compare(a.path, b.path));
  return {
    root,
    entries: entries.map(({ path, size }) => ({ path, size })),
    bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
    stray: entries.filter(entry => entry.stray).map(entry => entry.path),
  };
}

interface Packing {
  /** Told how many bytes more have gone in. */
  readonly onProgress?: (more: number) => void;
  readonly signal?: AbortSignal;
}

/** Writes the archive of a listing to a file. */
export async function pack(listing: Listing, file: string, packing: Packing = {}): Promise<Packed> {
  const options = {
    cwd: listing.root,
    portable: true,
    mtime: new Date(0),
    noDirRecurse: true,
    // A hard link would name another path of this machine; each file stands for itself.
    linkCache: Object.assign(new Map(), { get: () => undefined }),
  };
  // tar reads a leading "@" as the name of an archive to copy from. Of an empty folder there is the folder itself.
  const paths = listing.entries.length === 0 ? ["."] : listing.entries.map(({ path }) => `./${path}`);
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      packing.onProgress?.(chunk.length);
      yield chunk;
    }
  }
  const target = createWriteStream(file, { mode: 0o600 });
  await pipeline(create(options, paths), counted, createGzip(), target, packing);
  return { file, ...(await fingerprint(file)) };
}

/** A file's SHA-256 and size, read once through. */
export async function fingerprint(file: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash("sha256");
  const input = createReadStream(file);
  input.on("data", chunk => hash.update(chunk));
  await once(input, "end");
  return { sha256: hash.digest("hex"), size: (await stat(file)).size };
}

/** The largest things at the top of a folder, to say what makes it big. */
export function largest(listing: Listing, count: number): Entry[] {
  const sums = new Map<string, number>();
  for (const { path, size } of listing.entries) {
    const top = path.split("/", 2).join("/");
    sums.set(top, (sums.get(top) ?? 0) + size);
  }
  return [...sums]
    .map(([path, size]) => ({ path, size }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size)
    .slice(0, count);
}

interface Found extends Entry {
  readonly stray: boolean;
}

function walk(root: string, folder: string, scope: Scope): Found[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (isIgnored(scope, path, entry.isDirectory())) return [];
    const name = relative(root, path).split(sep).join("/");
    if (entry.isDirectory()) return [{ path: name, size: 0, stray: false }, ...walk(root, path, enter(scope, path))];
    if (entry.isSymbolicLink()) return [{ path: name, size: 0, stray: leadsOut(root, path) }];
    // Sockets, pipes and devices mean nothing elsewhere.
    return entry.isFile() ? [{ path: name, size: lstatSync(path).size, stray: false }] : [];
  });
}

function leadsOut(root: string, link: string): boolean {
  const target = readlinkSync(link);
  return isAbsolute(target) || relative(root, resolve(dirname(link), target)).startsWith("..");
}

/** By bytes, not by the machine's language. */
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
