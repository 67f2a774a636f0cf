/** One control plane per home: whoever holds the lock. It goes with its process, however that ends. */
import { accessSync, constants } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MusterError } from "@muster/core/error.ts";

export interface Lock {
  release(): void;
}

const TAKE = "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE";
/** SQLITE_BUSY and SQLITE_LOCKED, the low byte of their extended codes: both mean that somebody is there. */
const HELD = new Set([5, 6]);
/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const BROKEN = new Set([11, 26]);

/**
 * @returns undefined when another process holds it.
 * @throws MusterError `unavailable` when nobody can hold it: the disk is full or read-only, or the file is no lock.
 */
export function lock(path: string): Lock | undefined {
  try {
    return take(path);
  } catch (error) {
    if (HELD.has(codeOf(error))) return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    const hint = BROKEN.has(codeOf(error))
      ? `nothing is kept in it: remove it with: rm ${path}`
      : "check that its folder is there, that you may write to it, and that its disk has room";
    throw new MusterError("unavailable", `the lock ${path} cannot be taken: ${reason}`, { hint }, error);
  }
}

function take(path: string): Lock {
  const file = new DatabaseSync(path);
  try {
    // SQLite is content to read what it may not write, and then keeps nobody else out.
    accessSync(path, constants.W_OK);
    file.exec(TAKE);
    return { release: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

const codeOf = (error: unknown): number =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
