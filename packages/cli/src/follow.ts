/**
 * A job's log, page after page, until it is done.
 *
 * *Gotchas.* The cursor moves on only when everything on a page has been written; a page that broke in its middle is
 * asked for again, and what was written of it is skipped. So a lost connection costs time, never a line, and none is
 * shown twice.
 */
import { setTimeout as pause } from "node:timers/promises";
import { isRetryable, MusterError } from "@muster/core/error.ts";
import type { LogPage } from "@muster/core/job/logs.ts";

export type Chunk = LogPage["chunks"][number];
/** A line of what led to a try. */
export type Told = LogPage["provision"][number];

export interface Source {
  /** The next page; the first one without a cursor. */
  page(cursor: string | undefined): Promise<LogPage>;
  /** A chunk's bytes. */
  read(chunk: Chunk): Promise<Uint8Array>;
}

export interface Sink {
  /** Takes the bytes of one chunk; the next one comes when this has resolved. */
  write(chunk: Chunk, bytes: Uint8Array): Promise<void>;
  /** Takes a line of what leads to a try. */
  tell?(line: Told): Promise<void>;
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
    const page = await copyPage(source, sink, place, troubles, options.signal);
    if (page?.done || (page?.hasMore === false && !options.follow)) return;
    if (page?.chunks.length) heard.at = performance.now();
    await pause(interval(page, pace, performance.now() - heard.at), undefined, options);
  }
}

/** How long until the next request. */
function interval(page: LogPage | undefined, pace: Pace, silentMs: number): number {
  const next = silentMs < LATELY_MS ? pace.busyMs : pace.idleMs;
  if (page === undefined) return next * RETRY_FACTOR;
  // A page holds only so much.
  return page.hasMore ? 0 : next;
}

interface Place {
  cursor: string | undefined;
  /**
   * What the sink has, and the cursor has not passed. It may outlast its page: when that is asked for again, there may be more
   * of the nodes ahead, so that others find no place on it.
   */
  readonly written: Set<string>;
}

/** One page, from asking for it to its last byte; undefined when it broke and may be tried again. */
async function copyPage(
  source: Source,
  sink: Sink,
  place: Place,
  troubles: Outage,
  signal: AbortSignal | undefined,
): Promise<LogPage | undefined> {
  const page = await reach(() => source.page(place.cursor), troubles, signal);
  if (page === undefined || !(await copyChunks(source, sink, page, { place, troubles, signal }))) return undefined;
  for (const line of page.provision) await once(place, nameOf(line), () => sink.tell?.(line) ?? Promise.resolve());
  place.cursor = page.cursor;
  for (const part of [...page.chunks, ...page.provision]) place.written.delete(nameOf(part));
  troubles.over();
  return page;
}

interface Copying {
  readonly place: Place;
  readonly troubles: Outage;
  readonly signal: AbortSignal | undefined;
}

/** @returns false when one could not be read now. */
async function copyChunks(
  source: Source,
  sink: Sink,
  page: LogPage,
  { place, troubles, signal }: Copying,
): Promise<boolean> {
  for (const chunk of page.chunks) {
    const name = nameOf(chunk);
    if (place.written.has(name)) continue;
    const bytes = await reach(() => source.read(chunk), troubles, signal);
    if (bytes === undefined) return false;
    await once(place, name, () => sink.write(chunk, bytes));
  }
  return true;
}

const nameOf = (part: Chunk | Told): string =>
  `${part.attempt}/${"rank" in part ? part.rank : "provision"}/${part.sequence}`;

async function once({ written }: Place, name: string, write: () => Promise<void>): Promise<void> {
  if (written.has(name)) return;
  await write();
  written.add(name);
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
