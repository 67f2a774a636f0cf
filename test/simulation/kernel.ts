/**
 * The kernel: a virtual clock and one queue of events. Nothing happens but events; each runs to its end, with all the
 * promises that it settles, before the next one. Ties are broken by the seed.
 */
import type { Rng } from "./rng.ts";

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
const START = 1_800_000_000_000;

/** Labels that begin so do not count as steps. */
export const QUIET = "  ";

interface Event {
  readonly time: number;
  readonly tie: number;
  readonly n: number;
  readonly label: string;
  readonly run: () => void;
}

export class Kernel {
  readonly #rng: Rng;
  readonly #lines: string[] | undefined;
  readonly #heap: Event[] = [];
  #now = START;
  #n = 0;
  #hash = 0x811c9dc5;
  /** Events that ran. */
  events = 0;
  /** Events that count: all but replies, and looks into indexes. */
  steps = 0;

  constructor(rng: Rng, lines?: string[]) {
    this.#rng = rng;
    this.#lines = lines;
  }

  get now(): number {
    return this.#now;
  }

  /** Of every event and note so far, in order. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Runs it `delay` ms from now. */
  at(delay: number, label: string, run: () => void): void {
    const time = this.#now + Math.max(0, Math.floor(delay));
    push(this.#heap, { time, tie: this.#rng.int(1 << 20), n: this.#n++, label, run });
  }

  sleep(ms: number, label = "sleep"): Promise<void> {
    return new Promise(resolve => this.at(ms, label, resolve));
  }

  /** Goes on until `done` says so, the queue is empty, or the next event is later than `until`. */
  async run(done: () => boolean, until = Number.POSITIVE_INFINITY): Promise<void> {
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined) return;
      if (next.time > until) {
        this.#now = until;
        return;
      }
      pop(this.#heap);
      this.#now = next.time;
      this.events++;
      if (!next.label.startsWith(QUIET)) this.steps++;
      this.note(next.label);
      next.run();
      await new Promise<void>(settled);
    }
  }

  /** Takes something into the trace and its hash. */
  note(text: string): void {
    let hash = fold(fold(this.#hash, this.#now % 0x7fffffff), text.length);
    for (let index = 0; index < text.length; index++) hash = fold(hash, text.charCodeAt(index));
    this.#hash = hash;
    this.#lines?.push(`${((this.#now - START) / SECOND).toFixed(3).padStart(9)} ${text.replaceAll(ID, "$1$2")}`);
  }
}

/** Called within a microtask: Node takes its next tick only when no microtask is left, so all that an event settles has run. */
const settled = (resolve: () => void): void => process.nextTick(resolve);

/** The last digits of an id tell nouns apart. */
const ID = /\b(W#|clu_|job_|hst_|evt_)?[0-9A-HJKMNP-TV-Z]{21}([0-9A-HJKMNP-TV-Z]{5})\b/g;

/** A time of the virtual clock as seconds from the start of the run. */
export const sinceStart = (time: number): string => ((time - START) / SECOND).toFixed(3);

const fold = (hash: number, value: number): number => Math.imul(hash ^ value, 0x01000193);

const isBefore = (a: Event, b: Event): boolean =>
  a.time < b.time || (a.time === b.time && (a.tie < b.tie || (a.tie === b.tie && a.n < b.n)));

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(event, heap[parent] as Event)) break;
    heap[at] = heap[parent] as Event;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    if (left >= heap.length) break;
    const least = right < heap.length && isBefore(heap[right] as Event, heap[left] as Event) ? right : left;
    if (!isBefore(heap[least] as Event, last)) break;
    heap[at] = heap[least] as Event;
    at = least;
  }
  heap[at] = last;
}
