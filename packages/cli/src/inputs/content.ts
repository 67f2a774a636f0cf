/** Reads files that may be written meanwhile: what is read is the file at one moment, or it is read again. */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { MusterError } from "@muster/core/error.ts";
import { type FileEntry, isSame, modeOf, type Stamp, stampOf, unreadable } from "./list.ts";
import { onDisk, shown } from "./names.ts";

/** Bytes of a file that are read in one go. */
export const ROOM = 256 * 1024;
/** Other work has its turn after so many bytes. */
const BREATH = 16 * 1024 * 1024;

/** The file was written while it was read. */
export class Changed extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${shown(path)} changed while it was read`);
    this.path = path;
  }
}

/** A file as it was when it was opened. */
export interface Opened {
  readonly stamp: Stamp;
  readonly mode: number;
  /** All of it, piece by piece in the same room, which nobody else may use meanwhile. @throws Changed */
  chunks(room: Uint8Array): Generator<Uint8Array>;
}

/**
 * Hands on the file, and closes it in the end; nothing when it is gone.
 * @throws MusterError `invalid_request` with the path of a file that cannot be read
 */
export function* opening<T>(root: string, entry: FileEntry, use: (opened: Opened) => Generator<T>): Generator<T> {
  const path = join(root, entry.path);
  const file = open(path);
  if (file === undefined) return;
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Changed(path);
    const stamp = stampOf(stats);
    yield* use({ stamp, mode: modeOf(stats, false), chunks: room => chunksOf(file, path, stamp, room) });
  } finally {
    closeSync(file);
  }
}

/** The SHA-256 of a file's content, and the file that it was; nothing when it is gone. @throws Changed */
export async function fingerprint(
  root: string,
  entry: FileEntry,
  signal?: AbortSignal,
): Promise<{ readonly stamp: Stamp; readonly sha256: string; readonly readAt: number } | undefined> {
  const readAt = Date.now();
  const room = new Uint8Array(Math.min(ROOM, entry.stamp.size + 1));
  const hash = createHash("sha256");
  const seen: { stamp?: Stamp; unheard: number } = { unheard: 0 };
  const reading = opening(root, entry, function* ({ stamp, chunks }) {
    seen.stamp = stamp;
    yield* chunks(room);
  });
  for (const chunk of reading) {
    hash.update(chunk);
    seen.unheard += chunk.length;
    if (seen.unheard < BREATH) continue;
    seen.unheard = 0;
    await turn();
    signal?.throwIfAborted();
  }
  return seen.stamp && { stamp: seen.stamp, sha256: hash.digest("hex"), readAt };
}

/** Does it again when a file changes meanwhile. @throws MusterError `invalid_request` that names one that always does */
export async function steadily<T>(act: () => Promise<T>, tries = 4): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Changed)) throw error;
    if (tries > 1) return steadily(act, tries - 1);
    throw new MusterError(
      "invalid_request",
      `${shown(error.path)} changes all the time: it cannot be read as a whole`,
      {
        hint: "wait until it is written, or leave it out with a .musterignore file (its rules are those of .gitignore)",
      },
    );
  }
}

function open(path: string): number | undefined {
  // It may have become a link or a pipe since it was listed.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    return openSync(onDisk(path), O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "ELOOP") throw new Changed(path);
    throw unreadable(path, error);
  }
}

function* chunksOf(file: number, path: string, stamp: Stamp, room: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < stamp.size; ) {
    const count = readSync(file, room, 0, Math.min(room.length, stamp.size - at), at);
    if (count === 0) throw new Changed(path);
    at += count;
    yield room.subarray(0, count);
  }
  if (!isSame(stampOf(fstatSync(file)), stamp)) throw new Changed(path);
}
