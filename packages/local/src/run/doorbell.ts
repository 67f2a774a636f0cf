/**
 * The doorbell of one process: rings are answered after the commit, each thing once at a time, so many things at once, in
 * turns by workspace. What failed three times is a dead letter.
 */
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { answer, type Ring, ringFor, subjectOf, workspaceOf } from "@muster/core/doorbell.ts";
import { FairQueue } from "@muster/core/fair.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";

/** Waits between the tries, in ms. */
const BACKOFF = [200, 2_000];

/** How many rings are answered at a time; one that waits for its next try is not among them. */
const AT_ONCE = 64;

/** A ring that is being answered, or waits for its next try. */
interface Held {
  readonly ring: Ring;
  /** How often it has failed. */
  readonly failures: number;
}

export class Doorbell {
  readonly #world: () => World;
  /** By what they are about: what came since the last was begun. */
  readonly #waiting = new Map<string, Ring>();
  readonly #held = new Map<string, Held>();
  /** What may be begun. */
  readonly #queue = new FairQueue<string>();
  readonly #running = new Set<Promise<void>>();
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
    const isKnown = this.#waiting.has(key) || this.#held.has(key);
    // What rings while its answer is under way may have come too late for it: it is answered once more.
    this.#waiting.set(key, ring);
    if (!isKnown) this.#line(ring, key);
  }

  #line(ring: Ring, key: string): void {
    this.#queue.add(workspaceOf(ring), key);
    setImmediate(() => this.#next());
  }

  #next(): void {
    while (!this.#closed && this.#running.size < AT_ONCE) {
      const next = this.#queue.take();
      if (next === undefined) return;
      const done: Promise<void> = this.#answer(next.item).finally(() => {
        this.#running.delete(done);
        this.#queue.done(next.owner);
        this.#next();
      });
      this.#running.add(done);
    }
  }

  async #answer(key: string): Promise<void> {
    const held = this.#held.get(key) ?? this.#begun(key);
    if (held === undefined) return;
    const failure = await this.#try(held.ring);
    if (failure === undefined) return this.#over(key);
    const failures = held.failures + 1;
    const pause = BACKOFF[failures - 1];
    const message = pause === undefined ? "a ring is put aside: its deadline will find it" : "a ring failed";
    this.#world().log.error(message, { ring: key, reason: String(failure) });
    if (pause === undefined) {
      await this.#bury(held.ring, failures, failure);
      return this.#over(key);
    }
    this.#held.set(key, { ring: held.ring, failures });
    setTimeout(() => this.#line(held.ring, key), pause).unref();
  }

  #begun(key: string): Held | undefined {
    const ring = this.#waiting.get(key);
    if (ring === undefined) return undefined;
    this.#waiting.delete(key);
    const held = { ring, failures: 0 };
    this.#held.set(key, held);
    return held;
  }

  #over(key: string): void {
    this.#held.delete(key);
    const ring = this.#waiting.get(key);
    if (ring !== undefined) this.#line(ring, key);
  }

  /** @returns why it failed. */
  async #try(ring: Ring): Promise<unknown> {
    try {
      await answer(this.#world(), ring);
      return undefined;
    } catch (error) {
      return error ?? new Error("it failed");
    }
  }

  async #bury(ring: Ring, times: number, error: unknown): Promise<void> {
    const world = this.#world();
    try {
      await buryRing(world, ring, times, error);
    } catch (failure) {
      world.log.error("a dead letter could not be recorded", { ring: subjectOf(ring), reason: String(failure) });
    }
  }

  /** Answers nothing more; resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}
