/** The doorbell of one process: rings are answered after the commit, each thing once at a time, three tries, then put aside. */
import { answer, type Ring, ringFor, subjectOf } from "@muster/core/doorbell.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";

/** Waits between the tries, in ms. */
const BACKOFF = [200, 2_000];

export class Doorbell {
  readonly #world: () => World;
  readonly #waiting = new Map<string, Ring>();
  readonly #running = new Map<string, Promise<void>>();
  #closed = false;

  /** `world` is asked for late: the table that rings is part of it. */
  constructor(world: () => World) {
    this.#world = world;
  }

  ring(changes: readonly Change[]): void {
    for (const change of changes) {
      const ring = ringFor(change);
      if (ring) this.#add(ring);
    }
  }

  #add(ring: Ring): void {
    const key = subjectOf(ring);
    // What rings while its answer is under way may have come too late for it: it is answered once more.
    this.#waiting.set(key, ring);
    if (!this.#running.has(key)) setImmediate(() => this.#next(key));
  }

  #next(key: string): void {
    const ring = this.#waiting.get(key);
    if (ring === undefined || this.#running.has(key) || this.#closed) return;
    this.#waiting.delete(key);
    const done = this.#answer(ring, key).finally(() => {
      this.#running.delete(key);
      this.#next(key);
    });
    this.#running.set(key, done);
  }

  async #answer(ring: Ring, key: string): Promise<void> {
    for (const pause of [...BACKOFF, undefined]) {
      const failure = await this.#try(ring);
      if (failure === undefined || this.#closed) return;
      const message = pause === undefined ? "a ring is put aside: its deadline will find it" : "a ring failed";
      this.#world().log.error(message, { ring: key, reason: String(failure) });
      if (pause !== undefined) await new Promise(resolve => setTimeout(resolve, pause).unref());
    }
  }

  async #try(ring: Ring): Promise<unknown> {
    try {
      await answer(this.#world(), ring);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Answers nothing more; resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running.values());
  }
}
