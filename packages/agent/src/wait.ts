/** Waiting: what may be cut short, and for how long after failures. */
import { setTimeout as pause } from "node:timers/promises";

/** What a timer can hold; longer waits are made of several. */
const LONGEST = 2 ** 31 - 1;

/** Rejects when the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await pause(Math.min(ms, LONGEST), undefined, signal === undefined ? {} : { signal });
}

/** Full jitter: from 0.5 s to 15 s, so that a fleet does not come back all at once. */
export const backoff = (failures: number): number =>
  Math.random() * Math.min(15_000, 500 * 2 ** Math.min(failures, 10));

/** Between tries of what must come to its end, in ms. */
const AGAIN = 5_000;

/** Does this until it succeeds. Rejects when the signal has aborted. */
export async function again<T>(
  work: () => Promise<T>,
  failed: (error: unknown) => void,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      failed(error);
    }
    await sleep(AGAIN, signal);
  }
}

/** A bell for one waiter. A ring while nobody waits is kept for the next wait. */
export class Wake {
  #rung = false;
  #answer: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#answer?.();
  }

  /** Returns at the ring, or after `ms` at the latest. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung) await this.#ringOrTime(ms);
    this.#rung = false;
    this.#answer = undefined;
  }

  #ringOrTime(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, Math.min(ms, LONGEST));
      this.#answer = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Calls back once the wall clock has reached `at`; the answer takes the call back. */
export function alarm(at: number, call: () => void): () => void {
  const cancelled = new AbortController();
  const ring = async (): Promise<void> => {
    while (Date.now() < at) await sleep(at - Date.now(), cancelled.signal);
    call();
  };
  ring().catch((error: unknown) => {
    if (!cancelled.signal.aborted) throw error;
  });
  return () => cancelled.abort();
}
