/**
 * The Table port on node:sqlite: one file, durable with every answer, shared with other processes if need be.
 *
 * Gotchas: SQLite works synchronously, so a write that must wait for another process holds this one's event loop (5 s at
 * most, then `busy`). An item that has expired is as good as absent, to reads and to what a write expects.
 */
import * as Cursor from "@muster/core/cursor.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Digest, Log } from "@muster/core/ports/ports.ts";
import {
  type Change,
  type Conflict,
  type Draft,
  type IndexName,
  type Item,
  type Key,
  type Page,
  type Range,
  type Sighting,
  type Table,
  type Write,
  WriteConflict,
} from "@muster/core/ports/table.ts";
import { checkKey, checkRange, checkWrites, keyOf } from "@muster/core/table/rules.ts";
import { createJournal } from "./journal.ts";
import { createLagging, type IndexLag } from "./lag.ts";
import { openDatabase } from "./schema.ts";
import { createStore, type Store } from "./store.ts";

export type { IndexLag } from "./lag.ts";

export interface TableOptions {
  /** The file, or `:memory:`. */
  readonly path: string;
  /** Seals cursors. */
  readonly digest: Digest;
  /** The doorbell: hears of each commit of this process, after it. What it throws or rejects with is logged. */
  readonly onCommit?: (changes: readonly Change[]) => void | Promise<void>;
  /** Which changes are noted until somebody was told of them, whatever happens to this process meanwhile. */
  readonly isNews?: (change: Change) => boolean;
  readonly log?: Pick<Log, "error">;
  /** Makes the indexes lag behind, as DynamoDB's do. */
  readonly indexLag?: IndexLag;
  /** Asked before each write of two or more items: true refuses it for now, as DynamoDB may a transaction. */
  readonly refuse?: () => boolean;
  readonly now?: () => number;
  /** How long to wait for another process that writes, in ms; 5000 when absent. */
  readonly timeout?: number;
}

export interface LocalTable extends Table {
  /** Items of which nobody was told yet, oldest first. */
  untold(): readonly Item[];
  /** Somebody was told of it. */
  told(key: Key): void;
  close(): void;
}

const DEFAULT_LIMIT = 100;
const PURGE_INTERVAL_MS = 3_600_000;

export function openTable(options: TableOptions): LocalTable {
  const now = options.now ?? Date.now;
  const database = openDatabase(options.path, options.timeout);
  const store = createStore(database);
  const journal = options.isNews && createJournal(database, options.isNews);
  const lagging = options.indexLag && createLagging(options.indexLag, store.all());
  const purge = purger(store);
  store.transact(() => purge(now()));

  function query(range: Range & { readonly pk: string }): Promise<Page<Item>>;
  function query(range: Range & { readonly pk: string; readonly index: IndexName }): Promise<Page<Sighting>>;
  async function query(range: Range & { readonly pk: string; readonly index?: IndexName }): Promise<Page<Draft>> {
    checkRange(range);
    const position = range.cursor === undefined ? undefined : Cursor.open(options.digest, range, range.cursor);
    const at = now();
    const source = range.index === undefined ? store : (lagging?.at(at) ?? store);
    const { items, end } = source.page(range, position, at, range.limit ?? DEFAULT_LIMIT);
    const seen = range.index === undefined ? items : items.map(sighting);
    return end === undefined ? { items: seen } : { items: seen, cursor: Cursor.seal(options.digest, range, end) };
  }

  async function write(writes: readonly Write[]): Promise<void> {
    checkWrites(writes);
    if (writes.length > 1 && options.refuse?.()) throw new MusterError("busy", "the table takes no transaction now");
    const at = now();
    const changes = store.transact(() => {
      purge(at);
      const made = apply(store, writes, at);
      journal?.note(made);
      return made;
    });
    lagging?.record(changes, at);
    if (changes.length > 0) void ring(options, changes);
  }

  async function get(key: Key): Promise<Item | undefined> {
    checkKey(key);
    return store.get(key, now());
  }

  function untold(): readonly Item[] {
    return (journal?.pending() ?? []).flatMap(key => store.get(key, now()) ?? []);
  }

  function told(key: Key): void {
    journal?.told(key);
  }

  function close(): void {
    lagging?.close();
    if (journal !== undefined && database.isOpen) store.transact(() => journal.settle());
    store.close();
  }

  return { get, query, write, untold, told, close };
}

function sighting(item: Item): Sighting {
  const { version, ...seen } = item;
  return seen;
}

/** Runs inside the transaction. */
function apply(store: Store, writes: readonly Write[], now: number): readonly Change[] {
  const conflicts = writes.map(write => conflictOf(write, store.get(keyOf(write), now)));
  const failed = conflicts.filter(conflict => conflict !== undefined);
  if (failed.length > 0) throw new WriteConflict(failed);
  return writes.flatMap(write => changeOf(store, write));
}

function conflictOf(write: Write, found: Item | undefined): Conflict | undefined {
  const { pk, sk } = keyOf(write);
  if ((found?.version ?? "absent") === write.expect) return undefined;
  return { key: { pk, sk }, expected: write.expect, ...(found !== undefined && { found }) };
}

function changeOf(store: Store, write: Write): readonly Change[] {
  if ("put" in write) {
    const version = write.expect === "absent" ? 1 : write.expect + 1;
    return [{ item: store.put({ ...write.put, version }) }];
  }
  if ("check" in write) return [];
  const { pk, sk } = write.remove;
  store.remove({ pk, sk });
  return [{ removed: { pk, sk } }];
}

async function ring(options: TableOptions, changes: readonly Change[]): Promise<void> {
  try {
    await options.onCommit?.(changes);
  } catch (error) {
    // The write stands: what the doorbell missed, the sweep finds.
    if (options.log === undefined) process.emitWarning(`the doorbell failed: ${error}`);
    else options.log.error("the doorbell failed", { error });
  }
}

/** Forgets expired items now and then, within a transaction that is open anyway. Nobody could see them any more. */
function purger(store: Store): (now: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return now => {
    if (now - last < PURGE_INTERVAL_MS) return;
    last = now;
    store.purge(now);
  };
}
