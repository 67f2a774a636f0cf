/**
 * Sends a try's outputs home: first a list of all files, then the files, some at a time, then what was sent as parts of a
 * manifest, and its end last. Each step is on the disk, so that the next agent goes on where this one ended.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, readJson, readText, writeWhole } from "../disk.ts";
import type { Account } from "../host/account.ts";
import { sendFile } from "../keep/file.ts";
import { keyOf, spelled } from "../keep/names.ts";
import { sizeText } from "../keep/size.ts";
import { Changed, GivenUp, Refused, type Store } from "../keep/store.ts";
import type { End, Entry } from "../types.ts";
import { type Item, type Limits, makeList, parts, type Summary } from "./list.ts";
import { rootsOf } from "./places.ts";

const AT_ONCE = 4;
const TRIES = 3;
const LIMITS: Limits = { files: 100_000, bytes: 100_000_000_000 };
/** How often something is said of what takes long, in ms. */
const PROGRESS = 60_000;
/** Files that are told by name. */
const TOLD = 10;

export type Kept = Pick<End, "files" | "bytes" | "failed">;

export interface Keeping {
  /** The attempt's own, for what is on its way. */
  readonly folder: string;
  readonly places: readonly string[];
  readonly home: string;
  readonly workdir: string;
  readonly owner: Account | undefined;
  readonly store: Store;
  readonly halt: AbortSignal;
  /** A line for the job's log. */
  say(line: string): void;
  readonly limits?: Limits;
}

/** How far it came: parts that are home, and what is in them. */
interface Progress extends Kept {
  readonly parts: number;
}

/** Never fails: what could not be kept is counted and told. Rejects when it is halted. */
export async function keep(keeping: Keeping): Promise<Kept> {
  try {
    const { roots, absent } = rootsOf(keeping.places, keeping);
    const summary = await makeList(keeping.folder, { roots, absent }, keeping.limits ?? LIMITS, keeping.halt);
    return await new Sending(keeping, summary).run();
  } catch (error) {
    keeping.halt.throwIfAborted();
    keeping.say(`outputs: nothing could be kept: ${messageOf(error)}`);
    return { files: 0, bytes: 0, failed: 1 };
  }
}

class Sending {
  readonly #keeping: Keeping;
  readonly #summary: Summary;
  #done: Progress;
  #failures = 0;
  /** Of the part at hand. */
  #saidAt = Date.now();
  #inPart = { files: 0, bytes: 0 };

  constructor(keeping: Keeping, summary: Summary) {
    this.#keeping = keeping;
    this.#summary = summary;
    this.#done = readJson<Progress>(join(keeping.folder, DONE)) ?? { parts: 0, files: 0, bytes: 0, failed: 0 };
  }

  async run(): Promise<Kept> {
    const { say, store } = this.#keeping;
    try {
      for await (const items of parts(this.#keeping.folder, this.#done.parts)) await this.#part(items);
      await store.put(blob(`${store.prefix}list/end`, JSON.stringify(this.#done)));
    } catch (error) {
      this.#keeping.halt.throwIfAborted();
      const { files, bytes } = this.#done;
      const failed = this.#summary.files - files;
      say(`outputs: given up, since ${messageOf(error)}: ${count(failed)} could not be kept`);
      return { files, bytes, failed: Math.max(1, failed) };
    }
    this.#tell();
    const { files, bytes, failed } = this.#done;
    return { files, bytes, failed };
  }

  async #part(items: readonly Item[]): Promise<void> {
    const sent = this.#sentBefore();
    this.#inPart = { files: 0, bytes: 0 };
    const failed = { count: 0 };
    await inParallel(items.keys(), async index => {
      const item = items[index];
      if (item === undefined || sent.has(index)) return;
      const entry = await this.#entry(item);
      if (entry === undefined) failed.count++;
      else this.#note(sent, index, entry);
    });
    await this.#finish(
      [...sent].sort(([a], [b]) => a - b).map(([, entry]) => entry),
      failed.count,
    );
  }

  #note(sent: Map<number, Entry>, index: number, entry: Entry): void {
    const { folder, say } = this.#keeping;
    sent.set(index, entry);
    appendFileSync(join(folder, SENT), `${JSON.stringify([this.#done.parts, index, entry])}\n`, { mode: 0o600 });
    this.#inPart.files++;
    this.#inPart.bytes += entry.size;
    if (Date.now() - this.#saidAt < PROGRESS) return;
    this.#saidAt = Date.now();
    const files = this.#done.files + this.#inPart.files;
    const bytes = this.#done.bytes + this.#inPart.bytes;
    say(`outputs: ${files} of ${count(this.#summary.files)}, ${sizeText(bytes)} of ${sizeText(this.#summary.bytes)}`);
  }

  async #finish(entries: readonly Entry[], failed: number): Promise<void> {
    const { folder, store } = this.#keeping;
    const lines = entries.map(entry => `${JSON.stringify(entry)}\n`).join("");
    const number = String(this.#done.parts).padStart(6, "0");
    await store.put(blob(`${store.prefix}list/${number}`, lines));
    this.#done = {
      parts: this.#done.parts + 1,
      files: this.#done.files + entries.length,
      bytes: this.#done.bytes + entries.reduce((sum, entry) => sum + entry.size, 0),
      failed: this.#done.failed + failed,
    };
    writeWhole(join(folder, DONE), JSON.stringify(this.#done));
    writeWhole(join(folder, SENT), "");
  }

  /** What a former agent has sent of the part at hand. */
  #sentBefore(): Map<number, Entry> {
    const lines = (readText(join(this.#keeping.folder, SENT)) ?? "").split("\n").slice(0, -1);
    const known = lines.map(line => JSON.parse(line) as [number, number, Entry]);
    return new Map(known.flatMap(([part, index, entry]) => (part === this.#done.parts ? [[index, entry]] : [])));
  }

  /** Undefined for what could not be kept. */
  async #entry({ path, file, target, mtime = 0 }: Item): Promise<Entry | undefined> {
    if (file === undefined)
      return { ...spelled(path), size: 0, mode: 0o777, mtime, sha256: NOTHING, pieces: [], link: target ?? "" };
    const { store, owner } = this.#keeping;
    const name = keyOf(path);
    const key = (piece: number): string => (piece === 0 ? `files/${name}` : `more/${name}/${piece}`);
    for (let tries = 1; ; tries++) {
      try {
        const { mark: _, ...sent } = await sendFile(file, { store, owner, keyOf: key, under: "" });
        return { ...spelled(path), ...sent };
      } catch (error) {
        this.#keeping.halt.throwIfAborted();
        if (error instanceof GivenUp) throw error;
        if (error instanceof Changed && tries < TRIES) continue;
        this.#fail(spelled(path).path, error);
        return undefined;
      }
    }
  }

  #fail(path: string, error: unknown): void {
    const why = error instanceof Refused || error instanceof Changed ? error.message : messageOf(error);
    if (++this.#failures <= TOLD) this.#keeping.say(`outputs: ${JSON.stringify(path)} is not kept: ${why}`);
  }

  /** What came of it, and what was left out. */
  #tell(): void {
    const { say, limits = LIMITS } = this.#keeping;
    const { absent, skipped } = this.#summary;
    const { files, bytes, failed } = this.#done;
    for (const place of absent) say(`outputs: there is nothing at ${place}`);
    const why = [
      [skipped.link, "links that lead out of their folder"],
      [skipped.special, "pipes, sockets and devices"],
      [skipped.unreadable, "files and folders that cannot be read"],
      [skipped.files, `files beyond the first ${limits.files}`],
      [skipped.bytes, `files that would make it more than ${sizeText(limits.bytes)}`],
      [failed, "files that could not be sent"],
    ] as const;
    const left = why.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
    const rest = left.length === 0 ? "" : `; left out: ${left.join(", ")}`;
    say(`outputs: ${count(files)} kept, ${sizeText(bytes)}${rest}`);
  }
}

const DONE = "outputs.done";
const SENT = "outputs.sent";
/** SHA-256 of no bytes. */
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const count = (files: number): string => `${files} ${files === 1 ? "file" : "files"}`;

export function blob(key: string, content: string): { key: string; size: number; read(): AsyncIterable<Buffer> } {
  const bytes = Buffer.from(content);
  return {
    key,
    size: bytes.length,
    read: async function* () {
      yield bytes;
    },
  };
}

/** The first that fails ends all, when those that were begun have ended. */
export async function inParallel<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const problems: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done && problems.length === 0; next = left.next())
      await work(next.value).catch((error: unknown) => problems.push(error));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (problems.length > 0) throw problems[0];
}
