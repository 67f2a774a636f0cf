/** Sends one file, whole: in pieces where it is larger than what the store takes at once. */
import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Account } from "../host/account.ts";
import type { Entry } from "../types.ts";
import { bytesOf, type Raw } from "./names.ts";
import { Changed, Refused, type Store } from "./store.ts";

/** S3 takes five gigabytes at once. */
export const PIECE = 4_000_000_000;

/** What is there of a file that was sent. */
export type Sent = Pick<Entry, "size" | "mode" | "mtime" | "sha256" | "pieces"> & { readonly mark: string };

export interface Sending {
  readonly store: Store;
  /** Whose files these are, when not the agent's own user's: what he may not read is not sent. */
  readonly owner: Account | undefined;
  /** The key of a piece, below the store's prefix. */
  keyOf(piece: number): string;
  /** What the manifest's keys are relative to: what stands between that and the store's prefix. */
  readonly under: string;
  readonly piece?: number;
}

/** What tells one state of a file from another. */
export const markOf = ({ ino, size, mtimeNs }: { ino: bigint; size: bigint; mtimeNs: bigint }): string =>
  `${ino}.${size}.${mtimeNs}`;

/** @throws Changed when it was written to meanwhile, Refused when it is no file of the user's, and as the store does */
export async function sendFile(file: Raw, sending: Sending): Promise<Sent> {
  // Neither a link that has taken its place, nor a pipe that nobody writes to.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(bytesOf(file), flags);
  try {
    const before = await handle.stat({ bigint: true });
    if (!before.isFile()) throw new Refused("it is no file any more");
    if (!mayRead(sending.owner, before)) throw new Refused(`${sending.owner?.name} may not read it`);
    const size = Number(before.size);
    const { sha256, pieces } = await sendPieces(handle, size, sending);
    const mark = markOf(before);
    if (markOf(await handle.stat({ bigint: true })) !== mark) throw new Changed("it changed while it was read");
    const mtime = Number(before.mtimeNs) / 1e6;
    return { size, mode: Number(before.mode) & 0o7777, mtime, sha256, pieces, mark };
  } finally {
    await handle.close();
  }
}

async function sendPieces(
  handle: FileHandle,
  size: number,
  sending: Sending,
): Promise<Pick<Sent, "sha256" | "pieces">> {
  const { store, keyOf, under, piece = PIECE } = sending;
  const pieces: { key: string; size: number }[] = [];
  let hash = createHash("sha256");
  for (let from = 0, index = 0; from < size || index === 0; from += piece, index++) {
    const length = Math.min(piece, size - from);
    const key = keyOf(index);
    // Begun anew with each try of the piece.
    let hashed = hash;
    await store.put({
      key: `${store.prefix}${key}`,
      size: length,
      read: () => {
        hashed = hash.copy();
        return bytesFrom(handle, from, length, hashed);
      },
    });
    hash = hashed;
    pieces.push({ key: `${under}${key}`, size: length });
  }
  return { sha256: hash.digest("hex"), pieces };
}

async function* bytesFrom(handle: FileHandle, from: number, length: number, hash: Hash): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; ) {
    const buffer = Buffer.allocUnsafe(Math.min(BLOCK, length - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from + at);
    if (bytesRead === 0) throw new Changed("it became shorter while it was read");
    const bytes = buffer.subarray(0, bytesRead);
    hash.update(bytes);
    yield bytes;
    at += bytesRead;
  }
}

const BLOCK = 64 * 1024;

/** The agent may be root, and read what the job's user may not. */
function mayRead(owner: Account | undefined, { uid, gid, mode }: { uid: bigint; gid: bigint; mode: bigint }): boolean {
  if (owner === undefined || owner.as.length === 0) return true;
  if (Number(uid) === owner.uid || (mode & 0o004n) !== 0n) return true;
  return Number(gid) === owner.gid && (mode & 0o040n) !== 0n;
}
