/** Virtual time: whoever waits is woken in order of time, once nobody has anything more to do. Nothing waits in earnest. */

interface Wake {
  readonly at: number;
  readonly n: number;
  readonly run: () => void;
}

export class Virtual {
  #now: number;
  #count = 0;
  /** A heap: the earliest is first, and of several the one that came first. */
  readonly #heap: Wake[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.at(this.#now + ms, resolve));
  }

  at(at: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at, n: this.#count++, run });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapped(parent, child)) break;
      child = parent;
    }
  }

  /** Goes on until nobody waits any more, or until then. */
  async run(until = Infinity): Promise<void> {
    await quiet();
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#now = Math.max(this.#now, next.at);
      // All that are due at once, and then what follows from them.
      while (this.#heap[0] !== undefined && this.#heap[0].at <= this.#now) this.#pop()?.run();
      await quiet();
    }
    if (until !== Infinity) this.#now = Math.max(this.#now, until);
  }

  #pop(): Wake | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const least = right < heap.length && isBefore(heap[right], heap[left]) ? right : left;
      if (least >= heap.length || !this.#swapped(parent, least)) return first;
      parent = least;
    }
  }

  #swapped(parent: number, child: number): boolean {
    const [a, b] = [this.#heap[parent], this.#heap[child]];
    if (a === undefined || b === undefined || !isBefore(b, a)) return false;
    this.#heap[parent] = b;
    this.#heap[child] = a;
    return true;
  }
}

const isBefore = (a: Wake | undefined, b: Wake | undefined): boolean =>
  a !== undefined && b !== undefined && (a.at === b.at ? a.n < b.n : a.at < b.at);

/** Promises that are settled have been heard of; nothing here waits for anything else. */
const quiet = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** The value below which so many of a hundred are. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}
