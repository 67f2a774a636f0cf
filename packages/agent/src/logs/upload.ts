/** Sends one chunk as a form, as S3's POST policies want it. */
import { randomBytes } from "node:crypto";
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { send } from "../control/send.ts";
import { sizeOf } from "../disk.ts";
import type { LogPolicy } from "../types.ts";
import type { Chunk } from "./chunks.ts";
import type { Mask } from "./mask.ts";

const PATIENCE = 60_000;

/** The status of the answer; rejects when there was none. */
export async function upload(policy: LogPolicy, chunk: Chunk, path: string, mask: Mask): Promise<number> {
  const boundary = `muster-${randomBytes(16).toString("hex")}`;
  // S3 ignores whatever comes after the file.
  const fields = Object.entries({ ...policy.fields, key: keyOf(policy, chunk) }).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`,
  );
  const about = `content-disposition: form-data; name="file"; filename="chunk"\r\ncontent-type: application/octet-stream`;
  const head = Buffer.from(`${fields.join("")}--${boundary}\r\n${about}\r\n\r\n`);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  // Less than the record says only when the machine lost power.
  const to = Math.max(chunk.from, Math.min(chunk.to, sizeOf(path)));
  const hidden = mask.isEmpty ? undefined : mask.read(path, chunk.from, to);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "content-length": head.length + (hidden?.length ?? to - chunk.from) + tail.length,
  };
  const content = hidden === undefined ? contentOf(path, chunk.from, to) : [hidden];
  const body = Readable.from(parts(head, content, tail), { objectMode: false });
  const answer = await send(policy.url, { method: "POST", headers, body, patience: PATIENCE });
  await text(answer);
  return answer.statusCode ?? 0;
}

type Content = Iterable<Buffer> | AsyncIterable<Buffer>;

async function* parts(head: Buffer, content: Content, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  yield* content;
  yield tail;
}

const contentOf = (path: string, from: number, to: number): Content =>
  to > from ? createReadStream(path, { start: from, end: to - 1 }) : [];

const keyOf = (policy: LogPolicy, chunk: Chunk): string =>
  `${policy.prefix}${String(chunk.sequence).padStart(9, "0")}.${chunk.phase}`;

const quoted = (name: string): string => name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

/** Where the last line before `to` ends, if one ends behind `from`, and not too far back. */
export function lineEnd(path: string, from: number, to: number): number | undefined {
  const start = Math.max(from, to - LOOK_BACK);
  const bytes = Buffer.alloc(to - start);
  const file = openSync(path, "r");
  try {
    const got = readSync(file, bytes, 0, bytes.length, start);
    const at = bytes.subarray(0, got).lastIndexOf(0x0a);
    return at < 0 ? undefined : start + at + 1;
  } finally {
    closeSync(file);
  }
}

const LOOK_BACK = 64 * 1024;
