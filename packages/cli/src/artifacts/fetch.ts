/** Brings one artifact to its place: beside it first, going on where a broken try ended, and there only when it is right. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, rename, rm, utimes } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { MusterError } from "@muster/core/error.ts";
import type { Artifact } from "@muster/core/output/output.ts";
import { join, look, type Segments, shown } from "./place.ts";

const TRIES = 5;
const FIRST_PAUSE_MS = 300;

export interface Fetching {
  /** The artifact as it is listed now; its URLs end. */
  now(): Artifact;
  /** Has it listed again. */
  again(): Promise<void>;
  /** Bytes that are here; negative for those that were dropped. */
  onProgress(bytes: number): void;
  readonly signal: AbortSignal;
  /** Before the second try; doubled with each one after. */
  readonly firstPauseMs?: number;
}

/** @throws MusterError `unavailable` when it cannot be had */
export async function fetchTo(root: Buffer, segments: Segments, fetching: Fetching): Promise<void> {
  const target = join(root, ...segments);
  const { mode, mtime } = fetching.now();
  const part = join(root, ...segments.slice(0, -1), Buffer.from(`.${nameOf(segments)}.muster-part`));
  for (let tried = 1; ; tried++) {
    const problem = await tryOnce(part, fetching);
    fetching.signal.throwIfAborted();
    if (problem === undefined) break;
    if (tried === TRIES)
      throw new MusterError("unavailable", `${shown(fetching.now())} could not be fetched: ${problem}`, {
        hint: "run the same command again: what is here is not fetched twice",
      });
    await pause((fetching.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** tried, undefined, { signal: fetching.signal });
    await fetching.again();
  }
  // What a job has marked as the superuser's is not, here.
  await chmod(part, mode & 0o777);
  await utimes(part, mtime / 1000, mtime / 1000);
  await rename(part, target);
}

const nameOf = (segments: Segments): string =>
  createHash("sha256")
    .update(segments.at(-1) ?? "")
    .digest("hex")
    .slice(0, 20);

/** @returns what went wrong, in a way that may pass */
async function tryOnce(part: Buffer, fetching: Fetching): Promise<string | undefined> {
  const { size, sha256, parts } = fetching.now();
  const before = await look(part);
  const isUsable = before?.isFile() === true && before.size <= size;
  if (!isUsable) await rm(part, { force: true });
  const here = isUsable ? before.size : 0;
  const hash = createHash("sha256");
  if (here > 0) await hashInto(hash, part);
  fetching.onProgress(here);
  const counted = { bytes: here };
  try {
    for (let from = 0, index = 0; index < parts.length; from += parts[index]?.size ?? 0, index++)
      await bring(part, parts[index], counted.bytes - from, hash, counted, fetching);
    if (hash.digest("hex") === sha256) return undefined;
    await rm(part, { force: true });
    fetching.onProgress(-counted.bytes);
    return "what arrived is not what was kept";
  } catch (error) {
    fetching.onProgress(-counted.bytes);
    return error instanceof Error ? error.message : String(error);
  }
}

async function bring(
  file: Buffer,
  piece: Artifact["parts"][number] | undefined,
  skip: number,
  hash: Hash,
  counted: { bytes: number },
  { signal, onProgress }: Fetching,
): Promise<void> {
  if (piece === undefined || (skip >= piece.size && piece.size > 0)) return;
  const headers: Record<string, string> = skip > 0 ? { range: `bytes=${skip}-` } : {};
  const response = await fetch(piece.url, { headers, signal });
  if (response.status !== (skip > 0 ? 206 : 200) || response.body === null) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  const hashed = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      hash.update(bytes);
      counted.bytes += bytes.length;
      onProgress(bytes.length);
      yield bytes;
    }
  };
  await pipeline(Readable.fromWeb(response.body), hashed, createWriteStream(file, { flags: "a", mode: 0o600 }));
}

/** Of a file's bytes, as hex. */
export async function hashOf(file: Buffer): Promise<string> {
  return (await hashInto(createHash("sha256"), file)).digest("hex");
}

async function hashInto(hash: Hash, file: Buffer): Promise<Hash> {
  for await (const bytes of createReadStream(file)) hash.update(bytes);
  return hash;
}
