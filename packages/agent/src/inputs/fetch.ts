/** Brings one input to the disk, and believes it only when its hash is right. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { send } from "../control/send.ts";
import { messageOf } from "../disk.ts";
import { backoff, sleep } from "../wait.ts";
import { InputError } from "./place.ts";

/** About a minute of trying. */
const TRIES = 12;
/** A wrong hash is seldom the way's fault. */
const HASH_TRIES = 3;
/** Time without a single byte, in ms. */
const PATIENCE = 60_000;
const REDIRECTS = 3;

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
  const answer = await get(url, signal, REDIRECTS);
  const hash = createHash("sha256");
  const hashed = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const bytes of source) {
      hash.update(bytes);
      yield bytes;
    }
  };
  await pipeline(answer, hashed, createWriteStream(file, { mode: 0o600 }), { signal });
  return hash.digest("hex");
}

async function get(url: string, signal: AbortSignal, redirects: number): Promise<IncomingMessage> {
  const answer = await send(url, { method: "GET", patience: PATIENCE, signal });
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300) return answer;
  answer.destroy();
  const { location } = answer.headers;
  if (status < 300 || status >= 400 || location === undefined || redirects === 0) throw failureOf(status);
  return get(new URL(location, url).href, signal, redirects - 1);
}

const failureOf = (status: number): Error =>
  status >= 500 || status === 429 || status === 408 ? new Hiccup(`HTTP ${status}`) : new InputError(`HTTP ${status}`);
