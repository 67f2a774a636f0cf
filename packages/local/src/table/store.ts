/** Items in SQLite: rows in, rows out, and transactions. What may be written is decided elsewhere. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Position, Query } from "@muster/core/cursor.ts";
import { MusterError } from "@muster/core/error.ts";
import { INDEXES, type Indexes, type Item, type Key } from "@muster/core/ports/table.ts";
import { positionOf, select } from "./range.ts";

export interface Rows {
  readonly items: readonly Item[];
  /** Absent when nothing comes after these. */
  readonly end?: Position;
}

export interface Store {
  /** What stands there, unless it has expired by `now`. */
  get(key: Key, now: number): Item | undefined;
  page(query: Query, position: Position | undefined, now: number, limit: number): Rows;
  all(): Iterable<Item>;
  /** @returns the item as a read will give it */
  put(item: Item): Item;
  remove(key: Key): void;
  /** Forgets what has expired. Like `put` and `remove`: inside a transaction. */
  purge(now: number): void;
  /** All of it or none. @throws MusterError `busy` when another process holds the file for long. */
  transact<T>(work: () => T): T;
  /** May be called twice. */
  close(): void;
}

interface Row {
  readonly [column: string]: string | number | null;
  readonly pk: string;
  readonly sk: string;
  readonly version: number;
  readonly type: string;
  readonly data: string;
  readonly expires_at: number | null;
}

const COLUMNS = ["version", "type", "data", "expires_at", ...INDEXES.flatMap(name => [`${name}_pk`, `${name}_sk`])];
const PUT = `INSERT INTO items (pk, sk, ${COLUMNS.join(", ")}) VALUES (?, ?, ${COLUMNS.map(() => "?").join(", ")})
  ON CONFLICT (pk, sk) DO UPDATE SET ${COLUMNS.map(column => `${column} = excluded.${column}`).join(", ")} RETURNING *`;
const GET = "SELECT * FROM items WHERE pk = ? AND sk = ? AND (expires_at IS NULL OR expires_at > ?)";

export function createStore(database: DatabaseSync): Store {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  return {
    get(key, now) {
      const row = translated(() => prepare(GET).get(key.pk, key.sk, now));
      return row === undefined ? undefined : toItem(row as Row);
    },
    page(query, position, now, limit) {
      // One more than asked for says whether there is a next page.
      const { sql, values } = select(query, position, now, limit + 1);
      const found = translated(() => prepare(sql).all(...values)) as Row[];
      const rows = found.slice(0, limit);
      const last = rows.at(-1);
      const items = rows.map(toItem);
      return last === undefined || found.length <= limit ? { items } : { items, end: positionOf(query, last) };
    },
    *all() {
      for (const row of prepare("SELECT * FROM items").iterate()) yield toItem(row as Row);
    },
    put: item => toItem(prepare(PUT).get(...toRow(item)) as Row),
    remove: key => void prepare("DELETE FROM items WHERE pk = ? AND sk = ?").run(key.pk, key.sk),
    purge: now => void prepare("DELETE FROM items WHERE expires_at <= ?").run(now),
    transact: work => translated(() => transact(database, work)),
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function transact<T>(database: DatabaseSync, work: () => T): T {
  // IMMEDIATE: what is read inside stays true until the commit.
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED, the low byte of their extended codes. */
const BUSY = new Set([5, 6]);

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "errcode" in error && BUSY.has(Number(error.errcode) & 0xff))
      throw new MusterError("busy", "another process is writing to the table", {}, error);
    throw error;
  }
}

function toRow(item: Item): (string | number | null)[] {
  const indexes = INDEXES.flatMap(name => [item.indexes?.[name]?.pk ?? null, item.indexes?.[name]?.sk ?? null]);
  const data = JSON.stringify(item.data);
  return [item.pk, item.sk, item.version, item.type, data, item.expiresAt ?? null, ...indexes];
}

function toItem(row: Row): Item {
  const indexes = indexesOf(row);
  return {
    pk: row.pk,
    sk: row.sk,
    type: row.type,
    data: JSON.parse(row.data),
    ...(Object.keys(indexes).length > 0 && { indexes }),
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    version: row.version,
  };
}

function indexesOf(row: Row): Indexes {
  const keys = INDEXES.map(name => [name, { pk: row[`${name}_pk`], sk: row[`${name}_sk`] }] as const);
  return Object.fromEntries(keys.filter(([, key]) => typeof key.pk === "string"));
}
