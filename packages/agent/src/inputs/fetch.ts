/** Brings one input to the disk, and believes it only when its hash is right. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { messageOf } from "../disk.ts";
import { backoff, sleep } from "../wait.ts";
import { InputError } from "./place.ts";

/** About a minute of trying. */
const TRIES = 12;
/** A wrong hash is seldom the way's fault. */
const HASH_TRIES = 3;
/** Time without a single byte, in ms. */
const STALL = 60_000;

export interface Input {
  readonly url: string;
  readonly sha256: string;
}

/** What may go better the next time. */
class Hiccup extends Error {
  readonly tries: number;

  constructor(message: string, tries = TRIES) {
    super(message);
    this.tries = tries;
  }
}

/** Messages never hold the URL: it is a grant. */
export async function fetchInput(name: string, input: Input, file: string, signal: AbortSignal): Promise<void> {
  for (let failures = 0; ; failures++) {
    const problem = await tryOnce(input, file, signal);
    signal.throwIfAborted();
    if (problem === undefined) return;
    if (!(problem instanceof Hiccup) || failures + 1 >= problem.tries)
      throw new InputError(`${name}: ${problem.message}`);
    await sleep(backoff(failures), signal);
  }
}

async function tryOnce(input: Input, file: string, signal: AbortSignal): Promise<Error | undefined> {
  try {
    const found = await download(input.url, file, signal);
    if (found !== input.sha256)
      return new Hiccup("what arrived does not have the hash that it should have", HASH_TRIES);
    return undefined;
  } catch (error) {
    if (error instanceof InputError || error instanceof Hiccup) return error;
    return new Hiccup(`could not be fetched (${messageOf(error)})`);
  }
}

async function download(url: string, file: string, signal: AbortSignal): Promise<string> {
  const stalled = new AbortController();
  const watchdog = setTimeout(() => stalled.abort(new Hiccup("no byte for a minute")), STALL);
  try {
    const both = AbortSignal.any([signal, stalled.signal]);
    const answer = await fetch(url, { signal: both });
    if (!answer.ok) throw failureOf(answer.status);
    const hash = createHash("sha256");
    const body = Readable.fromWeb((answer.body ?? new Blob([]).stream()) as ReadableStream);
    body.on("data", (bytes: Uint8Array) => {
      hash.update(bytes);
      watchdog.refresh();
    });
    await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal: both });
    return hash.digest("hex");
  } finally {
    clearTimeout(watchdog);
  }
}

const failureOf = (status: number): Error =>
  status >= 500 || status === 429 || status === 408 ? new Hiccup(`HTTP ${status}`) : new InputError(`HTTP ${status}`);
