/** Sends one blob as a form, as S3's POST policies want it; its bytes stream. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { send } from "../control/send.ts";
import type { LogPolicy } from "../types.ts";

/** Ms without a byte in either direction. */
const PATIENCE = 60_000;

export interface Blob {
  readonly key: string;
  readonly size: number;
  /** All bytes from the first; may be called again. */
  read(): AsyncIterable<Buffer>;
}

/** The status of the answer; rejects when there was none, or as `read` does. */
export async function post(policy: LogPolicy, blob: Blob, signal: AbortSignal): Promise<number> {
  const boundary = `muster-${randomBytes(16).toString("hex")}`;
  const fields = Object.entries({ ...policy.fields, key: blob.key }).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const about = `content-disposition: form-data; name="file"; filename="kept"\r\ncontent-type: application/octet-stream`;
  const head = Buffer.from(`${fields.join("")}--${boundary}\r\n${about}\r\n\r\n`);
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "content-length": head.length + blob.size + tail.length,
  };
  const body = Readable.from(parts(head, blob, tail), { objectMode: false });
  const answer = await send(policy.url, { method: "POST", headers, body, patience: PATIENCE, signal });
  await text(answer);
  return answer.statusCode ?? 0;
}

async function* parts(head: Buffer, blob: Blob, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  yield* blob.read();
  yield tail;
}
