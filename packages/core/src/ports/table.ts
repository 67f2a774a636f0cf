/**
 * The table: all durable state, behind three verbs.
 *
 * `get` and base queries are strong: they see every write that was answered. Index queries are eventual: they may lag,
 * miss or repeat, so what they return carries no version, and nothing can be written from it without a `get` first.
 */

/** Neither is empty; at most 2,048 bytes of `pk` and 1,024 of `sk` (DynamoDB's limits). */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** The secondary indexes. `list`: a workspace's nouns; `due`: what has a deadline, sharded; `link`: a noun by its relation. */
export const INDEXES = ["list", "due", "link"] as const;
export type IndexName = (typeof INDEXES)[number];
export type Indexes = Partial<Record<IndexName, Key>>;

/** What is written: one item, whole. `data` is plain JSON; `expiresAt` (epoch ms) lets the store forget it, some day. */
export interface Draft extends Key {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly indexes?: Indexes;
  readonly expiresAt?: number;
}

/** What stands in the table. The store counts `version` up from 1. */
export interface Item extends Draft {
  readonly version: number;
}

/** What an index saw at some time: no version, on purpose. */
export type Sighting = Draft;

/** The state that a write expects to find: no item, or the item of this version. An item that has expired is no item. */
export type Expected = "absent" | number;

export type Write =
  | { readonly put: Draft; readonly expect: Expected }
  | { readonly remove: Key; readonly expect: number }
  | { readonly check: Key; readonly expect: Expected };

/** The most writes that one transaction takes (DynamoDB's TransactWriteItems). */
export const MAX_WRITES = 100;

export interface Range {
  /** Only sort keys that begin so. */
  readonly prefix?: string;
  /** Only sort keys up to and including this one. */
  readonly upTo?: string;
  readonly order?: "ascending" | "descending";
  /** 1 to 1000; 100 when absent. */
  readonly limit?: number;
  /** Where the last page ended, as that page said. Opaque, signed, and bound to its query. */
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

export interface Table {
  get(key: Key): Promise<Item | undefined>;
  /** Strong: items of one partition in order of their sort keys. @throws invalid_request on a forged cursor. */
  query(query: Range & { readonly pk: string; readonly index?: never }): Promise<Page<Item>>;
  /** Eventual: items by an index, in order of the index's sort keys. */
  query(query: Range & { readonly pk: string; readonly index: IndexName }): Promise<Page<Sighting>>;
  /**
   * All or nothing, 1 to 100 items, each item once.
   * @throws WriteConflict when an item is not as expected: nothing was written, and the error says what stood there.
   * @throws MusterError `busy` when the store refused for now: nothing was written.
   */
  write(writes: readonly Write[]): Promise<void>;
}

export interface Conflict {
  readonly key: Key;
  readonly expected: Expected;
  /** The item that stood there, when there was one. */
  readonly found?: Item;
}

/** A write lost a race, or came twice. */
export class WriteConflict extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`write conflict on ${conflicts.map(conflict => `${conflict.key.pk} ${conflict.key.sk}`).join(", ")}`);
    this.name = "WriteConflict";
    this.conflicts = conflicts;
  }
}

/** What the doorbell is told after a commit: items as they now stand, or the keys of those removed. */
export type Change = { readonly item: Item } | { readonly removed: Key };
