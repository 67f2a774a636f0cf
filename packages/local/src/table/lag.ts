/**
 * Index queries as they were some time ago, as DynamoDB's secondary indexes answer: for tests and simulations.
 *
 * A second store in memory hears of each change only when its time has come. Changes of one item keep their order; those
 * of one transaction need not arrive together. It hears of this process's writes only, and a table that is opened
 * again starts with its indexes caught up.
 */
import type { Change, Item, Key } from "@muster/core/ports/table.ts";
import { openDatabase } from "./schema.ts";
import { createStore, type Store } from "./store.ts";

/** How far behind the indexes are: always so many ms, or as drawn for each change. */
export type IndexLag = { readonly ms: number } | { readonly draw: () => number };

export interface Lagging {
  /** Takes note of what was committed at `now`. */
  record(changes: readonly Change[], now: number): void;
  /** The items as an index sees them at `now`. */
  at(now: number): Store;
  close(): void;
}

interface Pending {
  readonly due: number;
  readonly change: Change;
}

export function createLagging(lag: IndexLag, standing: Iterable<Item>): Lagging {
  const store = createStore(openDatabase(":memory:"));
  for (const item of standing) store.put(item);
  let pending: readonly Pending[] = [];
  return {
    record(changes, now) {
      const added = changes.map(change => ({ due: dueOf(change, lag, now, pending), change }));
      // Stable: what is due at one time is applied in the order in which it was written.
      pending = [...pending, ...added].toSorted((a, b) => a.due - b.due);
    },
    at(now) {
      const due = pending.filter(entry => entry.due <= now);
      for (const { change } of due) apply(store, change);
      if (due.length > 0) pending = pending.filter(entry => entry.due > now);
      return store;
    },
    close: () => store.close(),
  };
}

/** Never before an earlier change of the same item. */
function dueOf(change: Change, lag: IndexLag, now: number, pending: readonly Pending[]): number {
  const drawn = now + ("ms" in lag ? lag.ms : lag.draw());
  const earlier = pending.filter(entry => sameKey(keyOf(entry.change), keyOf(change))).map(entry => entry.due);
  return Math.max(drawn, ...earlier);
}

function apply(store: Store, change: Change): void {
  if ("item" in change) store.put(change.item);
  else store.remove(change.removed);
}

const keyOf = (change: Change): Key => ("item" in change ? change.item : change.removed);
const sameKey = (a: Key, b: Key): boolean => a.pk === b.pk && a.sk === b.sk;
