/**
 * Room on the disk that is given up when there is no other: where jobs have filled it, how they ended must be written down
 * all the same, or nobody would ever hear of it.
 */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { hasCode, sizeOf } from "./disk.ts";

/** In bytes: records and notes of some hundred attempts. */
const SIZE = 4_000_000;

export class Ballast {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** On a disk that has no room for it there is none. */
  fill(): void {
    if (sizeOf(this.#path) === SIZE) return;
    try {
      // Some file systems make nothing of zeros.
      writeFileSync(this.#path, randomBytes(SIZE), { mode: 0o600 });
    } catch {
      rmSync(this.#path, { force: true });
    }
  }

  /** To be called when something could not be written, and nobody is there who would take the room at once. */
  dropFor(error: unknown): void {
    if (hasCode(error, "ENOSPC", "EDQUOT")) rmSync(this.#path, { force: true });
  }
}
