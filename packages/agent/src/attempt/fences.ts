/** The highest fence seen of each job: what comes again or late is known as such, also after a restart. */
import { appendFileSync } from "node:fs";
import { readText, writeWhole } from "../disk.ts";
import type { AttemptRef } from "../types.ts";

/** Jobs that are remembered; the control plane repeats itself for minutes, not for thousands of jobs. */
const MEMORY = 5_000;

export class Fences {
  readonly #path: string;
  readonly #seen = new Map<string, number>();

  constructor(path: string) {
    this.#path = path;
    const lines = (readText(path) ?? "").split("\n").filter(line => /^\S+ \d+$/.test(line));
    for (const line of lines.slice(-MEMORY)) this.#keep(line);
    if (lines.length > MEMORY) writeWhole(path, `${lines.slice(-MEMORY).join("\n")}\n`);
  }

  isNew(ref: AttemptRef): boolean {
    return ref.fence > (this.#seen.get(ref.jobId) ?? Number.NEGATIVE_INFINITY);
  }

  isLatest(ref: AttemptRef): boolean {
    return ref.fence === this.#seen.get(ref.jobId);
  }

  add(ref: AttemptRef): void {
    if (!this.isNew(ref)) return;
    // A torn line of a crash must not swallow this one.
    appendFileSync(this.#path, `\n${ref.jobId} ${ref.fence}\n`, { mode: 0o600 });
    this.#seen.set(ref.jobId, ref.fence);
  }

  #keep(line: string): void {
    const [jobId = "", fence] = line.split(" ");
    this.#seen.set(jobId, Math.max(Number(fence), this.#seen.get(jobId) ?? 0));
  }
}
