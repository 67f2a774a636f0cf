/**
 * Where kept files go, under a grant that ends and is renewed. What may pass is tried again, for as long as there is some
 * progress now and then.
 */
import type { Clock } from "../control/clock.ts";
import { messageOf } from "../disk.ts";
import type { Journal } from "../journal.ts";
import type { LogPolicy } from "../types.ts";
import { backoff, sleep } from "../wait.ts";
import { type Blob, post } from "./post.ts";

/** A grant that ends so soon is renewed, in ms. */
const MARGIN = 10 * 60_000;
const REFRESH_PAUSE = 5_000;
const PATIENCE = 30 * 60_000;
/** How often one blob may fail in the middle, or be forbidden. */
const TRIES = 12;
const FORBIDDEN = 5;

export interface StoreOptions {
  readonly policy: LogPolicy;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Asks the control plane for a fresh grant, soon. */
  readonly refresh: () => void;
  /** Aborts when the attempt is no longer this agent's. */
  readonly halt: AbortSignal;
  /** How long nothing may get through before all is given up, in ms. */
  readonly patience?: number;
}

/** The store is out of reach, or the time is up: nothing more will get there. */
export class GivenUp extends Error {}
/** This blob will not be taken. */
export class Refused extends Error {}
/** What was to be sent is no longer what it was. */
export class Changed extends Error {}

export class Store {
  readonly #options: StoreOptions;
  readonly #over = new AbortController();
  #policy: LogPolicy;
  /** By the clock that stands still while the machine sleeps. */
  #progressAt = performance.now();
  #refreshedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = Number.POSITIVE_INFINITY;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#policy = options.policy;
  }

  get prefix(): string {
    return this.#policy.prefix;
  }

  /** Whether the next poll should bring a fresh grant. */
  get isStale(): boolean {
    return this.#policy.expiresAt - this.#options.clock.now() < MARGIN;
  }

  renew(policy: LogPolicy): void {
    this.#policy = policy;
  }

  /** What is not there in so many ms is given up. The earliest end counts. */
  hurry(ms: number): void {
    const at = Date.now() + ms;
    if (at >= this.#endsAt) return;
    this.#endsAt = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over.abort(new GivenUp("the time was up")), ms);
    this.#timer.unref();
  }

  /** What follows has all of its time again. */
  begin(): void {
    this.#progressAt = performance.now();
  }

  /** @throws GivenUp, Refused, Changed; and as the halt does */
  async put(blob: Blob): Promise<void> {
    const counts = { forbidden: 0, broken: 0 };
    for (let failures = 0; ; failures++) {
      await this.#granted();
      const sent = await this.#tryOnce(blob);
      if (isGood(sent.status)) return;
      if (sent.status === 403) this.#refresh();
      if (isFinal(sent, counts)) throw new Refused(sent.why);
      await this.#pause(backoff(failures));
    }
  }

  /** Bytes that are there: what is moving is not given up. */
  #moved(): void {
    this.#progressAt = performance.now();
  }

  async #tryOnce(blob: Blob): Promise<Try> {
    const { halt, journal } = this.#options;
    const state = { bytes: 0 };
    const read = async function* (moved: () => void): AsyncGenerator<Buffer> {
      for await (const bytes of blob.read()) {
        yield bytes;
        // It was taken: there is room for the next.
        state.bytes += bytes.length;
        moved();
      }
    };
    try {
      const counted = { ...blob, read: () => read(() => this.#moved()) };
      const status = await post(this.#policy, counted, AbortSignal.any([halt, this.#over.signal]));
      if (isGood(status)) this.#moved();
      else journal.warn("blob refused", { status });
      return { status, moved: state.bytes > 0, why: `the store answered ${status}` };
    } catch (error) {
      this.#check();
      if (error instanceof Changed) throw error;
      journal.warn("blob not sent", { error: messageOf(error) });
      return { status: 0, moved: state.bytes > 0, why: messageOf(error) };
    }
  }

  /** Waits for a grant that holds. */
  async #granted(): Promise<void> {
    for (;;) {
      this.#check();
      const left = this.#policy.expiresAt - this.#options.clock.now();
      if (left < MARGIN) this.#refresh();
      if (left > 0) return;
      await this.#pause(500);
    }
  }

  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#options.halt, this.#over.signal]);
    await sleep(ms, signal).catch(() => undefined);
    this.#check();
  }

  #check(): void {
    this.#options.halt.throwIfAborted();
    this.#over.signal.throwIfAborted();
    const patience = this.#options.patience ?? PATIENCE;
    if (performance.now() - this.#progressAt <= patience) return;
    throw new GivenUp(`the store could not be reached for ${Math.round(patience / 60_000)} minutes`);
  }

  #refresh(): void {
    if (Date.now() - this.#refreshedAt < REFRESH_PAUSE) return;
    this.#refreshedAt = Date.now();
    this.#options.refresh();
  }
}

interface Try {
  /** 0 where there was no answer. */
  readonly status: number;
  /** Whether any of its bytes were taken. */
  readonly moved: boolean;
  readonly why: string;
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

/** Whether another try is of no use. */
function isFinal({ status, moved }: Try, counts: { forbidden: number; broken: number }): boolean {
  if (status === 403) counts.forbidden++;
  else if (moved) counts.broken++;
  if (counts.forbidden > FORBIDDEN || counts.broken > TRIES) return true;
  return status >= 400 && status < 500 && ![403, 408, 429].includes(status);
}
