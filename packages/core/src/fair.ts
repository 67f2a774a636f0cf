/**
 * Fair turns: what waits of several owners is taken in turns, so that ten thousand things of one hold up another's by one at
 * a time, and not by ten thousand. Of those who have something waiting, whoever has the fewest under way is next; of several,
 * whoever has had the fewest turns since there was anything to share. Each owner's own things keep their order.
 */

interface Line<T> {
  readonly waiting: T[];
  /** Index in `waiting` of what is next. */
  head: number;
  running: number;
  turns: number;
}

export class FairQueue<T> {
  readonly #lines = new Map<string, Line<T>>();
  #size = 0;

  /** How many things wait. */
  get size(): number {
    return this.#size;
  }

  add(owner: string, item: T): void {
    const line = this.#lines.get(owner) ?? this.#newcomer(owner);
    line.waiting.push(item);
    this.#size++;
  }

  /** What is next: it is under way until `done` says that it is not. */
  take(): { readonly owner: string; readonly item: T } | undefined {
    const next = this.#next();
    if (next === undefined) return undefined;
    const [owner, line] = next;
    const item = line.waiting[line.head] as T;
    line.head++;
    line.running++;
    line.turns++;
    this.#size--;
    // Of a line that is never empty as well, what has been taken is let go of some day.
    if (line.head * 2 >= line.waiting.length) {
      line.waiting.splice(0, line.head);
      line.head = 0;
    }
    return { owner, item };
  }

  done(owner: string): void {
    const line = this.#lines.get(owner);
    if (line === undefined) return;
    line.running--;
    if (line.running === 0 && line.waiting.length === 0) this.#lines.delete(owner);
  }

  /** Whoever comes later has not waited for the turns that others had before. */
  #newcomer(owner: string): Line<T> {
    const turns = Math.min(...[...this.#lines.values()].map(line => line.turns));
    const line = { waiting: [], head: 0, running: 0, turns: Number.isFinite(turns) ? turns : 0 };
    this.#lines.set(owner, line);
    return line;
  }

  #next(): [string, Line<T>] | undefined {
    let best: [string, Line<T>] | undefined;
    for (const one of this.#lines)
      if (one[1].waiting.length > 0 && (best === undefined || isBefore(one[1], best[1]))) best = one;
    return best;
  }
}

const isBefore = (a: Line<unknown>, b: Line<unknown>): boolean =>
  a.running === b.running ? a.turns < b.turns : a.running < b.running;

/** Does something with each of them, so many at a time, in fair turns. @param run must not throw */
export async function inTurns<T>(
  items: Iterable<T>,
  ownerOf: (item: T) => string,
  atOnce: number,
  run: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = new FairQueue<T>();
  for (const item of items) queue.add(ownerOf(item), item);
  const work = async (): Promise<void> => {
    for (let next = queue.take(); next !== undefined; next = queue.take()) {
      await run(next.item);
      queue.done(next.owner);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
