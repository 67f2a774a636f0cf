/**
 * A note of each item that somebody must still be told of, made in the transaction that writes the item: whatever happens
 * to this process after its commit, the next one finds it. What was told is struck off with the next transaction, so that
 * being told costs no write of its own; after a crash, some are told twice.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Change, Key } from "@muster/core/ports/table.ts";

/** Not part of the layout: whoever knows nothing of it leaves it alone. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS journal (
  sequence INTEGER PRIMARY KEY, pk TEXT NOT NULL, sk TEXT NOT NULL, UNIQUE (pk, sk)
) STRICT;`;

export interface Journal {
  /** Inside a transaction: notes what was written, and strikes off what was told. */
  note(changes: readonly Change[]): void;
  /** What somebody must still be told of, oldest first. */
  pending(): readonly Key[];
  told(key: Key): void;
  /** Strikes off what was told, now. */
  settle(): void;
}

/** @param isNews which changes somebody must be told of */
export function createJournal(database: DatabaseSync, isNews: (change: Change) => boolean): Journal {
  database.exec(SCHEMA);
  const insert = database.prepare("INSERT INTO journal (pk, sk) VALUES (?, ?) ON CONFLICT (pk, sk) DO NOTHING");
  const strike = database.prepare("DELETE FROM journal WHERE pk = ? AND sk = ?");
  const all = database.prepare("SELECT pk, sk FROM journal ORDER BY sequence");
  const told: Key[] = [];
  const settle = (): void => {
    for (const { pk, sk } of told.splice(0)) strike.run(pk, sk);
  };
  return {
    note: changes => {
      settle();
      for (const change of changes) if ("item" in change && isNews(change)) insert.run(change.item.pk, change.item.sk);
    },
    pending: () => all.all().map(row => ({ pk: String(row.pk), sk: String(row.sk) })),
    told: ({ pk, sk }) => void told.push({ pk, sk }),
    settle,
  };
}
