/** The file: one table of items, with one index per secondary key. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MusterError } from "@muster/core/error.ts";

/** Counts incompatible changes of the schema. */
const LAYOUT = 1;
const BUSY_TIMEOUT_MS = 5_000;

// Text compares byte by byte (BINARY), which for UTF-8 is DynamoDB's order of sort keys.
// A secondary index ends with the item's own key: ties have an order, and a page can end between them.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (
    pk TEXT NOT NULL,
    sk TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at REAL,
    list_pk TEXT, list_sk TEXT,
    due_pk TEXT, due_sk TEXT,
    link_pk TEXT, link_sk TEXT,
    PRIMARY KEY (pk, sk)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS items_list ON items (list_pk, list_sk, pk, sk) WHERE list_pk IS NOT NULL;
  CREATE INDEX IF NOT EXISTS items_due ON items (due_pk, due_sk, pk, sk) WHERE due_pk IS NOT NULL;
  CREATE INDEX IF NOT EXISTS items_link ON items (link_pk, link_sk, pk, sk) WHERE link_pk IS NOT NULL;
  CREATE INDEX IF NOT EXISTS items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;
  PRAGMA user_version = ${LAYOUT};
`;

/**
 * Opens or creates the file (`:memory:` for none). Any number of processes may have it open.
 * A commit is on disk when it returns: WAL, synced each time.
 * @param timeout how long to wait for another process, in ms
 */
export function openDatabase(path: string, timeout = BUSY_TIMEOUT_MS): DatabaseSync {
  if (path !== ":memory:") prepare(path);
  const database = new DatabaseSync(path, { timeout });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** For its owner's eyes alone, from its first byte; SQLite makes its side files like it. */
function prepare(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
}

function migrate(database: DatabaseSync, path: string): void {
  const { user_version } = database.prepare("PRAGMA user_version").get() ?? {};
  const layout = Number(user_version);
  if (layout === LAYOUT) return;
  if (layout > LAYOUT)
    throw new MusterError("unsupported", `${path} was written by a newer Muster`, { hint: "update Muster" });
  // Two processes may get here at once: the second finds everything in place.
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
}
