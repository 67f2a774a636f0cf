/** When to send the next chunk: latency while somebody looks, few requests while nobody does. */

const FOLLOWED = 300;
const ENOUGH = 256 * 1024;
const SHORTEST = 2_000;
const LONGEST = 60_000;

export interface Moment {
  readonly now: number;
  /** Bytes that wait. */
  readonly pending: number;
  /** Somebody follows the log. */
  readonly followed: boolean;
  /** Nothing more will come in this phase. */
  readonly closed: boolean;
}

export class Pace {
  #interval = SHORTEST;
  #last: number;

  /** The first output goes at once. */
  constructor(last = Number.NEGATIVE_INFINITY) {
    this.#last = last;
  }

  isDue({ now, pending, followed, closed }: Moment): boolean {
    if (pending <= 0) return false;
    if (closed || pending >= ENOUGH) return true;
    return now - this.#last >= (followed ? FOLLOWED : this.#interval);
  }

  /** The interval only grows by what waited for it. */
  sent({ now, pending, followed, closed }: Moment): void {
    const first = this.#last === Number.NEGATIVE_INFINITY;
    this.#last = now;
    if (!first && !followed && !closed && pending < ENOUGH) this.#interval = Math.min(this.#interval * 2, LONGEST);
  }
}
