/**
 * A job's log, page after page, until it is done.
 *
 * *Gotchas.* The cursor moves on only when every chunk of a page has been written; a page that broke in its middle is
 * asked for again, and the chunks that were written are skipped. So a lost connection costs time, never a line, and
 * none is shown twice.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isRetryable, MusterError } from "@muster/core/error.ts";
import type { LogPage } from "@muster/core/job/logs.ts";

export type Chunk = LogPage["chunks"][number];

export interface Source {
  /** The next page; the first one without a cursor. */
  page(cursor: string | undefined): Promise<LogPage>;
  /** A chunk's bytes. */
  read(chunk: Chunk): Promise<Uint8Array>;
}

export interface Sink {
  /** Takes the bytes of one chunk; the next one comes when this has resolved. */
  write(chunk: Chunk, bytes: Uint8Array): Promise<void>;
  /** Said once each time that the log cannot be reached, and once when it can again. */
  notice?(text: string): void;
}

export interface Pace {
  /** How often to ask while output arrives. */
  readonly busyMs: number;
  /** How often to ask when none has come for a while. */
  readonly idleMs: number;
  /** How long to go on trying when the log cannot be reached. */
  readonly giveUpMs: number;
}

const PACE: Pace = { busyMs: 100, idleMs: 500, giveUpMs: 600_000 };

/** How long after output the next is expected soon. */
const LATELY_MS = 5000;
const RETRY_FACTOR = 3;

export interface Options {
  /** False: what is there now, and no more. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
  readonly pace?: Pace;
}

/** Writes the log to the sink; resolves when the job has ended and all of its log was written, or at once what is there. */
export async function follow(source: Source, sink: Sink, options: Options): Promise<void> {
  const pace = options.pace ?? PACE;
  const place: Place = { cursor: undefined, written: new Set() };
  const troubles = outage(sink, pace.giveUpMs);
  const heard = { at: performance.now() };
  for (;;) {
    options.signal?.throwIfAborted();
    const from = place.cursor;
    const page = await copyPage(source, sink, place, troubles, options.signal);
    if (page !== undefined && isLast(page, from, options.follow)) return;
    if (page?.chunks.length) heard.at = performance.now();
    await pause(interval(page, pace, options.follow, performance.now() - heard.at), undefined, options);
  }
}

const isLast = (page: LogPage, from: string | undefined, following: boolean): boolean =>
  page.done || (!following && (page.chunks.length === 0 || page.cursor === from));

/** How long until the next request. */
function interval(page: LogPage | undefined, pace: Pace, following: boolean, silentMs: number): number {
  const next = silentMs < LATELY_MS ? pace.busyMs : pace.idleMs;
  if (page === undefined) return next * RETRY_FACTOR;
  // A page holds only so much: of a log that is only copied, the next one may be there already.
  return following ? next : 0;
}

interface Place {
  cursor: string | undefined;
  /** Chunks of the page at hand that the sink has. */
  readonly written: Set<string>;
}

/** One page, from asking for it to its last chunk's bytes; undefined when it broke and may be tried again. */
async function copyPage(
  source: Source,
  sink: Sink,
  place: Place,
  troubles: Outage,
  signal: AbortSignal | undefined,
): Promise<LogPage | undefined> {
  const page = await reach(() => source.page(place.cursor), troubles, signal);
  for (const chunk of page?.chunks ?? []) {
    const name = `${chunk.fence}/${chunk.rank}/${chunk.sequence}`;
    if (place.written.has(name)) continue;
    const bytes = await reach(() => source.read(chunk), troubles, signal);
    if (bytes === undefined) return undefined;
    await sink.write(chunk, bytes);
    place.written.add(name);
  }
  if (page === undefined) return undefined;
  place.cursor = page.cursor;
  place.written.clear();
  troubles.over();
  return page;
}

/** What a call answers; undefined when it failed in a way that may pass. */
async function reach<T>(
  call: () => Promise<T>,
  troubles: Outage,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    troubles.met(error);
    return undefined;
  }
}

interface Outage {
  met(error: unknown): void;
  over(): void;
}

/** Bears failures that pass, for a while. @throws the failure that does not pass, or that lasted too long. */
function outage(sink: Sink, giveUpMs: number): Outage {
  const state: { since?: number } = {};
  return {
    met: error => {
      if (error instanceof MusterError && !isRetryable(error)) throw error;
      if (state.since === undefined) sink.notice?.("the log cannot be reached; trying again");
      state.since ??= performance.now();
      if (performance.now() - state.since > giveUpMs) throw error;
    },
    over: () => {
      if (state.since !== undefined) sink.notice?.("the log can be reached again");
      delete state.since;
    },
  };
}

/** Reads a chunk from the address that its page gave. */
export async function readChunk(chunk: Chunk, signal?: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(chunk.url, signal && { signal });
  if (!response.ok) throw new MusterError("unavailable", `the log answered ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length < chunk.size) throw new MusterError("unavailable", "the log broke off");
  return bytes;
}
