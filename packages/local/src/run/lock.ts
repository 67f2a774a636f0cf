/** One control plane per home: whoever holds the lock. It goes with its process, however that ends. */
import { DatabaseSync } from "node:sqlite";

export interface Lock {
  release(): void;
}

/** @returns undefined when another process holds it. */
export function lock(path: string): Lock | undefined {
  const file = new DatabaseSync(path);
  try {
    file.exec(
      "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
    );
    return { release: () => file.close() };
  } catch {
    file.close();
    return undefined; // SQLite says "database is locked" in more than one way; all mean that somebody is there.
  }
}
