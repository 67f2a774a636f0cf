/** Until when the machine may live without its agent, for the machine's own timer to read: seconds since boot. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, writeWhole } from "../disk.ts";
import { uptime } from "../host/boot.ts";
import type { Journal } from "../journal.ts";

/** The agent's own stop comes first, and its jobs have some time to end. */
const MARGIN = 300;

export class Deadline {
  readonly #file: string;
  readonly #journal: Journal;

  constructor(file: string, journal: Journal) {
    this.#file = file;
    this.#journal = journal;
  }

  /** The machine may live for so many seconds more. */
  move(seconds: number): void {
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      writeWhole(this.#file, `${uptime() + Math.ceil(Math.max(0, seconds)) + MARGIN}\n`, 0o644);
    } catch (error) {
      this.#journal.warn("deadline not moved", { error: messageOf(error) });
    }
  }
}
