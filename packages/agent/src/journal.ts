/** The agent's own log: one JSON object a line, two files at most. Never takes tokens, URLs or environments. */
import { appendFileSync, renameSync } from "node:fs";
import { sizeOf } from "./disk.ts";

const CAP = 1_000_000;

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export class Journal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  note(what: string, fields: Fields = {}): void {
    this.#write("info", what, fields);
  }

  warn(what: string, fields: Fields = {}): void {
    this.#write("warn", what, fields);
  }

  #write(level: string, what: string, fields: Fields): void {
    const line = JSON.stringify({ at: new Date().toISOString(), level, what, ...fields });
    try {
      if (sizeOf(this.#path) > CAP) renameSync(this.#path, `${this.#path}.1`);
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
    } catch {
      // A full disk must not stop the agent: standard error may still reach somebody.
      process.stderr.write(`${line}\n`);
    }
  }
}
