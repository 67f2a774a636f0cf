/** What the tests of the local blobs share. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobs } from "@muster/local/blobs/blobs.ts";
import { createDigest } from "@muster/node/digest.ts";
import { onTestFinished } from "vitest";

export function open(base = () => "http://127.0.0.1:1", folder = freshFolder()) {
  let time = 1_800_000_000_000;
  const clock = { now: () => time };
  const advance = (ms: number) => {
    time += ms;
  };
  const digest = createDigest("a key of these tests, 32 bytes long, or more");
  /** Every file there is, temporary ones too. */
  const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return { folder, files, advance, digest, ...clock, ...openBlobs({ folder, clock, digest, base }) };
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "muster-blobs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** All bytes of a stream. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

/** These bytes in pieces of these sizes, over and over. */
export async function* cut(content: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < content.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield content.subarray(at, at + size);
    at += size;
  }
}
