/**
 * Names of a job group's hosts in the machine's own file of names, for as long as an attempt needs them: only where the agent
 * may write it, and the machine is for jobs alone.
 */
import { open, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Assignment } from "../types.ts";
import { withBlock } from "./block.ts";

export type HostName = NonNullable<Assignment["hostNames"]>[number];

const NAME = /^[a-z0-9][a-z0-9._-]{0,252}$/i;

export class HostNames {
  readonly #file: string | undefined;
  readonly #needed = new Map<string, readonly HostName[]>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param file absent: nothing is written */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** @throws Error, for people */
  async add(attempt: string, names: readonly HostName[] = []): Promise<void> {
    const sound = soundOf(names);
    if (sound.length === 0 || this.#needed.has(attempt)) return;
    this.#needed.set(attempt, sound);
    await this.#write();
  }

  /** The attempt is over. @throws Error, for people */
  async release(attempt: string): Promise<void> {
    if (this.#needed.delete(attempt)) await this.#write();
  }

  /** What a former agent has left, with what these attempts still need. @throws Error, for people */
  async retain(attempts: readonly { readonly name: string; readonly hostNames?: readonly HostName[] | undefined }[]) {
    for (const { name, hostNames = [] } of attempts)
      if (hostNames.length > 0) this.#needed.set(name, soundOf(hostNames));
    await this.#write();
  }

  /** One after the other; each writes what is needed by then. */
  #write(): Promise<void> {
    const written = this.#last.then(
      () => this.#writeNow(),
      () => this.#writeNow(),
    );
    this.#last = written;
    return written;
  }

  async #writeNow(): Promise<void> {
    if (this.#file === undefined) return;
    const lines = new Set([...this.#needed.values()].flat().map(({ address, name }) => `${address} ${name}`));
    const before = await readFile(this.#file, "utf8");
    const after = withBlock(before, [...lines]);
    if (before !== after) await overwrite(this.#file, after);
  }
}

/** They are to be lines of a file. */
const soundOf = (names: readonly HostName[]): HostName[] =>
  names.filter(({ address, name }) => isIP(address) !== 0 && NAME.test(name));

/** In its place: it may be mounted, and has marks of its own. At no moment is it empty. */
async function overwrite(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const file = await open(path, "r+");
  try {
    // All of it: one write may take a part only, such as on a disk that is nearly full.
    await file.writeFile(bytes);
    await file.truncate(bytes.length);
  } finally {
    await file.close();
  }
}
