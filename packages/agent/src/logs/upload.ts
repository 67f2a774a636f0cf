/** Sends one chunk as a form, as S3's POST policies want it. */
import { closeSync, openSync, readSync } from "node:fs";
import type { LogPolicy } from "../types.ts";
import type { Chunk } from "./chunks.ts";

const TIME_LIMIT = 60_000;

/** The status of the answer; rejects when there was none. */
export async function upload(policy: LogPolicy, chunk: Chunk, path: string): Promise<number> {
  const form = new FormData();
  for (const [name, value] of Object.entries(policy.fields)) if (name !== "key") form.set(name, value);
  form.set("key", keyOf(policy, chunk));
  // S3 ignores whatever comes after the file.
  form.set("file", new Blob([read(path, chunk.from, chunk.to)]), "chunk");
  const answer = await fetch(policy.url, { method: "POST", body: form, signal: AbortSignal.timeout(TIME_LIMIT) });
  await answer.arrayBuffer();
  return answer.status;
}

const keyOf = (policy: LogPolicy, chunk: Chunk): string =>
  `${policy.prefix}${String(chunk.sequence).padStart(9, "0")}.${chunk.phase}`;

/** Bytes of a file; fewer when it is shorter. */
export function read(path: string, from: number, to: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(to - from);
  const file = openSync(path, "r");
  try {
    return bytes.subarray(0, fill(file, bytes, from));
  } finally {
    closeSync(file);
  }
}

function fill(file: number, bytes: Uint8Array, from: number): number {
  for (let done = 0; ; ) {
    const got = readSync(file, bytes, done, bytes.length - done, from + done);
    if (got === 0) return done;
    done += got;
  }
}
