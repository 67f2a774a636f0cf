/**
 * A run of a folder's entries as one gzipped tar archive, in a file that has no name any more: whatever ends this program,
 * nothing is left of it.
 */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { MusterError } from "@muster/core/error.ts";
import { batches, DENSE, LEVEL } from "./batch.ts";
import { opening, ROOM } from "./content.ts";
import type { Entry, FileEntry, Stamp } from "./list.ts";
import { shown } from "./names.ts";
import * as Tar from "./tar.ts";

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Changes with whatever changes the bytes that a run becomes. */
export const FORMAT = `muster-pack-1 gzip-${LEVEL}-${DENSE}`;

/** A file as it went into the archive. */
export interface Content {
  readonly entry: FileEntry;
  readonly stamp: Stamp;
  readonly sha256: string;
  /** Epoch ms, before it was read. */
  readonly readAt: number;
}

export interface Packed extends AsyncDisposable {
  readonly sha256: string;
  readonly size: number;
  /** What is in it: entries as they were when they were read, without those that were gone. */
  readonly entries: readonly Entry[];
  readonly contents: readonly Content[];
  /** The archive from its beginning, as often as it is wanted. */
  read(): AsyncIterable<Uint8Array>;
}

export interface Packing {
  /** Told how many bytes of files more have gone in. */
  readonly onProgress?: (more: number) => void;
  readonly signal?: AbortSignal;
}

/** @throws Changed, and MusterError `invalid_request` for what cannot be read and `too_large` */
export async function pack(root: string, run: readonly Entry[], packing: Packing = {}): Promise<Packed> {
  const handle = await nameless();
  try {
    const entries: Entry[] = [];
    const contents: Content[] = [];
    const room = new Uint8Array(ROOM);
    const hash = createHash("sha256");
    let size = 0;
    for (const { bytes, level } of batches(archive(root, run, { entries, contents, room, ...packing }))) {
      const packed = await gzip(bytes, { level });
      packing.signal?.throwIfAborted();
      hash.update(packed);
      await handle.writeFile(packed);
      size += packed.length;
    }
    return {
      sha256: hash.digest("hex"),
      size,
      entries,
      contents,
      read: () => handle.createReadStream({ start: 0, autoClose: false }),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function nameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `muster-${randomUUID()}`);
  const handle = await open(path, "wx+", 0o600);
  await unlink(path);
  return handle;
}

interface Notes extends Packing {
  readonly entries: Entry[];
  readonly contents: Content[];
  readonly room: Uint8Array;
}

function* archive(root: string, run: readonly Entry[], notes: Notes): Generator<Uint8Array> {
  for (const entry of run) {
    if (entry.kind === "file") yield* file(root, entry, notes);
    else {
      notes.entries.push(entry);
      yield Tar.headerOf(memberOf(entry));
    }
  }
  yield Tar.end();
}

const memberOf = (entry: Exclude<Entry, FileEntry>): Tar.Member =>
  entry.kind === "folder"
    ? { path: entry.path, kind: "folder", mode: entry.mode, size: 0, target: "" }
    : { path: entry.path, kind: "link", mode: 0o777, size: 0, target: entry.target };

function file(root: string, entry: FileEntry, { entries, contents, room, onProgress }: Notes): Generator<Uint8Array> {
  return opening(root, entry, function* ({ stamp, mode, chunks }) {
    const readAt = Date.now();
    if (stamp.size > Tar.MOST_SIZE) throw tooLarge(entry);
    const { path } = entry;
    yield Tar.headerOf({ path, kind: "file", mode, size: stamp.size, target: "" });
    const hash = createHash("sha256");
    for (const chunk of chunks(room)) {
      hash.update(chunk);
      onProgress?.(chunk.length);
      yield chunk;
    }
    yield Tar.padding(stamp.size);
    const found: FileEntry = { path, kind: "file", mode, stamp };
    entries.push(found);
    contents.push({ entry: found, stamp, sha256: hash.digest("hex"), readAt });
  });
}

const tooLarge = ({ path }: FileEntry): MusterError =>
  new MusterError("too_large", `${shown(path)} has more than 8 GiB, which no archive holds`, {
    hint: "leave it out with a .musterignore file, and let the job fetch it, or mount the bucket that it is in",
  });
