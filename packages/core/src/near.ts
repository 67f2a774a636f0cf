/** What somebody may have meant who wrote a name that is not there. */

/** The name that is a slip or two away, in whichever case; undefined when none is. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const given = word.toLowerCase();
  let best: { readonly name: string; readonly slips: number } | undefined;
  for (const name of names) {
    const slips = distance(given, name.toLowerCase());
    if (slips <= allowed(given, name) && slips < (best?.slips ?? Number.POSITIVE_INFINITY)) best = { name, slips };
  }
  return best?.name;
}

const MOST = 3;

/** In short names every letter counts. */
const allowed = (given: string, name: string): number =>
  Math.min(MOST, Math.max(1, Math.floor(Math.max(given.length, name.length) / 3)));

/** Nobody mistypes a longer word, and a hostile file may be full of them. */
const LONGEST = 64;

/**
 * Letters to add, take away, change, or swap with the next (the distance of optimal string alignment); infinite where words
 * are too different in length, or too long, for one to be meant by the other.
 */
export function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST || Math.max(a.length, b.length) > LONGEST) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    rows.push(line);
    for (let at = 1; at <= b.length; at++) line.push(Math.min(...ways({ a, b, rows }, row, at)));
  }
  return rows[a.length]?.[b.length] ?? 0;
}

interface Grid {
  readonly a: string;
  readonly b: string;
  /** By letters of `a`, then of `b`: the slips so far. */
  readonly rows: readonly (readonly number[])[];
}

/** What each way to come here costs. */
function ways({ a, b, rows }: Grid, row: number, at: number): number[] {
  const cost = (up: number, left: number): number => rows[row - up]?.[at - left] ?? Number.POSITIVE_INFINITY;
  const isSame = a[row - 1] === b[at - 1];
  const isSwap = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
  const straight = [cost(1, 1) + (isSame ? 0 : 1), cost(1, 0) + 1, cost(0, 1) + 1];
  return isSwap ? [...straight, cost(2, 2) + 1] : straight;
}
