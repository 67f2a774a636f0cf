/**
 * Sends bytes as a form, as S3's POST policies want it. By hand rather than with fetch: a store needs the length ahead
 * of a body that is streamed, and a person wants to see how far it is.
 */
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { MusterError } from "@muster/core/error.ts";
import type * as Upload from "@muster/core/upload/upload.ts";

export type Target = NonNullable<Upload.Info["post"]>;

export interface Parcel {
  readonly size: number;
  /** All bytes from the first; may be called again. */
  read(): AsyncIterable<Uint8Array>;
}

export interface Options {
  readonly signal?: AbortSignal;
  /** Before the second try; doubled with each one after. */
  readonly firstPauseMs?: number;
}

const TRIES = 4;
const FIRST_PAUSE_MS = 300;

/** Sends the bytes, again from the first when the connection breaks. */
export async function post(
  target: Target,
  parcel: Parcel,
  onProgress: (sent: number) => void,
  { signal, firstPauseMs = FIRST_PAUSE_MS }: Options = {},
): Promise<void> {
  for (let tried = 1; ; tried++) {
    const failure = await attempt(target, parcel, onProgress, signal);
    if (failure === undefined) return;
    signal?.throwIfAborted();
    if (!failure.again || tried === TRIES)
      throw new MusterError("unavailable", `the upload failed: ${failure.reason}`, {
        hint: "run the same command again: what has arrived is not sent twice",
      });
    await pause(firstPauseMs * 2 ** tried, undefined, signal && { signal });
  }
}

interface Miss {
  readonly reason: string;
  readonly again: boolean;
}

async function attempt(
  target: Target,
  parcel: Parcel,
  onProgress: (sent: number) => void,
  signal: AbortSignal | undefined,
): Promise<Miss | undefined> {
  const progress = { sent: 0 };
  const count = (more: number): void => {
    progress.sent += more;
    onProgress(progress.sent);
  };
  try {
    const { status, text } = await send(target, parcel, count, signal);
    if (status < 300) return undefined;
    return { reason: `${status} ${text.slice(0, 300)}`.trim(), again: status >= 500 || status === 429 };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), again: true };
  }
}

async function send(
  target: Target,
  parcel: Parcel,
  onProgress: (sent: number) => void,
  signal: AbortSignal | undefined,
): Promise<{ status: number; text: string }> {
  const boundary = `muster-${crypto.randomUUID()}`;
  const head = Buffer.from(
    `${Object.entries({ ...target.fields, key: target.key })
      .map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join("")}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n` +
      "Content-Type: application/octet-stream\r\n\r\n",
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const url = new URL(target.url);
  const out = (url.protocol === "https:" ? secure : plain)(url, {
    method: "POST",
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": head.length + parcel.size + tail.length,
    },
    ...(signal && { signal }),
  });
  const answered = answer(out);
  // A store may answer, and hang up, before it has taken everything: then the answer counts, not the broken pipe.
  pipeline(body(head, parcel, tail, onProgress), out).catch(error => out.destroy(error));
  return await answered;
}

async function* body(head: Buffer, parcel: Parcel, tail: Buffer, onProgress: (sent: number) => void) {
  yield head;
  let left = parcel.size;
  for await (const chunk of parcel.read()) {
    left -= chunk.length;
    yield chunk;
    onProgress(chunk.length);
  }
  // The store would wait for the rest.
  if (left !== 0) throw new Error("what is sent changed its size");
  yield tail;
}

function answer(out: ReturnType<typeof plain>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    out.on("error", reject);
    out.on("response", response => {
      response.setEncoding("utf8");
      const parts: string[] = [];
      response.on("data", (part: string) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: parts.join("") }));
    });
  });
}
