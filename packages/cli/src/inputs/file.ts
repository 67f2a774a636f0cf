/** Sends a single file as it is. */
import { createReadStream, realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { MAX_BYTES } from "@muster/core/upload/upload.ts";
import { bytes } from "../format.ts";
import { openCache } from "./cache.ts";
import { Changed, fingerprint, steadily } from "./content.ts";
import { ask } from "./exists.ts";
import type { Means, Source } from "./folder.ts";
import { type FileEntry, isSame, type Stamp, stampOf } from "./list.ts";
import { meter } from "./meter.ts";
import { post } from "./post.ts";

/** The hash of a file of this size is worth remembering: reading it again takes longer than reading what is remembered. */
const MEMORABLE = 50_000_000;

/** Sends it unless its bytes are there. @returns its hash. @throws MusterError `too_large`, and `invalid_request` for what cannot be read */
export function sendFile(means: Means, source: Source): Promise<string> {
  const path = realpathSync(source.path);
  return steadily(() => attempt(means, { ...source, path }));
}

interface Found {
  readonly stamp: Stamp;
  readonly sha256: string;
}

async function attempt(means: Means, { path, written }: Source): Promise<string> {
  const { client, signal, out } = means;
  const { stamp, sha256 } = await look(means, path);
  const { size } = stamp;
  if (size > MAX_BYTES)
    throw new MusterError("too_large", `${written} is ${bytes(size)}; one upload holds ${bytes(MAX_BYTES)} at most`);
  const [answer] = await ask(client, [{ sha256, size }], signal);
  if (answer?.post === undefined) return sha256;
  using progress = meter(out, `upload ${written}`, size);
  const part = progress.part(size);
  part.packed(size);
  const read = () => createReadStream(path, { start: 0, end: Math.max(0, size - 1) });
  try {
    await post(answer.post, { size, read }, sent => part.sent(sent / Math.max(1, size)), signal && { signal });
  } catch (error) {
    // The store takes no other bytes than those announced.
    if (!isSame(stampOf(statSync(path)), stamp)) throw new Changed(path);
    throw error;
  }
  progress.done(bytes(size));
  return sha256;
}

async function look({ caches, signal }: Means, path: string): Promise<Found> {
  const entry: FileEntry = { kind: "file", path: basename(path), mode: 0o600, stamp: stampOf(statSync(path)) };
  const cache = entry.stamp.size < MEMORABLE ? undefined : openCache(caches, path);
  const known = cache?.contentOf(entry);
  if (known !== undefined) return { stamp: entry.stamp, sha256: known };
  const found = await fingerprint(dirname(path), entry, signal);
  if (found === undefined) throw new Changed(path);
  cache?.learnContent(entry.path, found.stamp, found.sha256, found.readAt);
  cache?.save({ entries: [entry] });
  return found;
}
