/**
 * Setups run once per host and text; packages once per host and list, until another list is installed, which may bring
 * other versions of the same. While one attempt runs a text, others that bring the same wait for it; installers take turns,
 * whatever they install, since they write to the same places.
 */
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./disk.ts";
import type { Assignment } from "./types.ts";

export class Setups {
  readonly #folder: string;
  readonly #owners = new Map<string, string>();
  readonly #bell = new EventEmitter();

  constructor(folder: string) {
    this.#folder = folder;
    this.#bell.setMaxListeners(0);
  }

  isDone(key: string): boolean {
    return existsSync(join(this.#folder, key));
  }

  /** From here on none of those whose keys begin so holds. */
  forget(kind: string): void {
    for (const key of readdirSync(this.#folder))
      if (key.startsWith(kind)) rmSync(join(this.#folder, key), { force: true });
  }

  /** Owns the text at once: for attempts that were running it when the former agent ended. */
  reserve(key: string, attempt: string): void {
    this.#owners.set(key, attempt);
  }

  /** Returns when nobody else runs the text. Rejects when the signal aborts. */
  async claim(key: string, attempt: string, signal: AbortSignal): Promise<void> {
    while ((this.#owners.get(key) ?? attempt) !== attempt) await once(this.#bell, "free", { signal });
    this.#owners.set(key, attempt);
  }

  finish(key: string): void {
    writeWhole(join(this.#folder, key), "");
  }

  /** The attempt is over, whatever it owned. */
  leave(attempt: string): void {
    for (const key of [...this.#owners.keys()]) this.release(key, attempt);
  }

  release(key: string, attempt: string): void {
    if (this.#owners.get(key) !== attempt) return;
    this.#owners.delete(key);
    this.#bell.emit("free");
  }
}

/** Who may install: one at a time. */
export const INSTALLING = "packages";
/** How the keys of lists of packages begin. */
export const LISTS = "packages-";

/** A text that may go on after failing lines is another setup than the same text that may not. */
export const keyOf = (onError: Assignment["onError"], text: string): string =>
  createHash("sha256")
    .update(onError === "stop" ? text : `go on\n${text}`)
    .digest("hex");
