/**
 * What is to be done after a commit: each thing once at a time, so many things at once, in turns by workspace. What failed
 * three times is put aside.
 */
import { FairQueue } from "@muster/core/fair.ts";

/** Waits between the tries, in ms. */
const BACKOFF = [200, 2_000];

export interface LineOptions<T> {
  /** The same thing is not done twice at once. */
  readonly subjectOf: (item: T) => string;
  /** In whose turn it is done. */
  readonly ownerOf: (item: T) => string;
  readonly act: (item: T) => Promise<void>;
  /** Hears of each failure; `isLast`: it is put aside. Must not throw. */
  readonly onFailure: (item: T, times: number, isLast: boolean, error: unknown) => Promise<void>;
  /** It is done, or put aside. */
  readonly onOver?: (item: T) => void;
  /** How many things are done at a time; one that waits for its next try is not among them. */
  readonly atOnce: number;
}

/** Something that is being done, or waits for its next try. */
interface Held<T> {
  readonly item: T;
  /** How often it has failed. */
  readonly failures: number;
}

export class Line<T> {
  readonly #options: LineOptions<T>;
  /** By what they are about: what came since the last was begun. */
  readonly #waiting = new Map<string, T>();
  readonly #held = new Map<string, Held<T>>();
  /** What may be begun. */
  readonly #queue = new FairQueue<string>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(options: LineOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    const key = this.#options.subjectOf(item);
    const isKnown = this.#waiting.has(key) || this.#held.has(key);
    // What comes while it is being done may have come too late for that: it is done once more.
    this.#waiting.set(key, item);
    if (!isKnown) this.#line(item, key);
  }

  #line(item: T, key: string): void {
    this.#queue.add(this.#options.ownerOf(item), key);
    setImmediate(() => this.#next());
  }

  #next(): void {
    while (!this.#closed && this.#running.size < this.#options.atOnce) {
      const next = this.#queue.take();
      if (next === undefined) return;
      const done: Promise<void> = this.#do(next.item).finally(() => {
        this.#running.delete(done);
        this.#queue.done(next.owner);
        this.#next();
      });
      this.#running.add(done);
    }
  }

  async #do(key: string): Promise<void> {
    const held = this.#held.get(key) ?? this.#begun(key);
    if (held === undefined) return;
    const { item } = held;
    const failure = await this.#try(item);
    if (failure === undefined) return this.#over(key, item);
    const failures = held.failures + 1;
    const pause = BACKOFF[failures - 1];
    await this.#options.onFailure(item, failures, pause === undefined, failure);
    if (pause === undefined) return this.#over(key, item);
    this.#held.set(key, { item, failures });
    setTimeout(() => this.#line(item, key), pause).unref();
  }

  #begun(key: string): Held<T> | undefined {
    const item = this.#waiting.get(key);
    if (item === undefined) return undefined;
    this.#waiting.delete(key);
    const held = { item, failures: 0 };
    this.#held.set(key, held);
    return held;
  }

  #over(key: string, item: T): void {
    this.#held.delete(key);
    this.#options.onOver?.(item);
    const next = this.#waiting.get(key);
    if (next !== undefined) this.#line(next, key);
  }

  /** @returns why it failed. */
  async #try(item: T): Promise<unknown> {
    try {
      await this.#options.act(item);
      return undefined;
    } catch (error) {
      return error ?? new Error("it failed");
    }
  }

  /** Begins nothing more; resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}
