/**
 * The buckets that are mounted on this host, and the attempts that use them. Jobs that mount the same at one place share
 * it; it is taken away when the last of them has ended, by whichever agent is there then.
 *
 * On disk, `<agent>/mounts/<hash of the place>.json` is written before anything is mounted, so that a crash leaves no mount
 * that nobody knows.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf, readJson, writeWhole } from "../disk.ts";
import { makeFolder } from "../inputs/folder.ts";
import type { Places } from "../inputs/inputs.ts";
import { InputError } from "../inputs/place.ts";
import type { Journal } from "../journal.ts";
import { isMounted, mountsIn, realPlace, unmount } from "./mountinfo.ts";
import { type Mounting, mount, programOf } from "./mountpoint.ts";

interface Entry {
  readonly place: string;
  /** What is mounted, and with which credentials, as a hash. */
  readonly what: string;
  readonly users: readonly string[];
}

export interface MountsOptions {
  readonly folder: string;
  /** PATH of the host. */
  readonly path: string;
  readonly journal: Pick<Journal, "note" | "warn">;
}

export class Mounts {
  readonly #options: MountsOptions;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: MountsOptions) {
    this.#options = options;
  }

  /** @throws InputError when nothing can be mounted on this host */
  mustBeAble(name: string): void {
    programOf(name, this.#options.path);
  }

  /** @throws InputError when it cannot be, or something else is there */
  async mount(wanted: Mounting, places: Places, signal: AbortSignal): Promise<void> {
    await makeFolder(dirname(wanted.place), places.owner);
    const what = { ...wanted, place: realPlace(wanted.place) };
    signal.throwIfAborted();
    const turn = this.#inTurn(what.place, async () => {
      // Whoever was given up while he waited has been released by now, and would never be again.
      signal.throwIfAborted();
      return this.#mount(what, places, signal);
    });
    await unlessAborted(turn, signal);
  }

  /** The attempt has ended: what only it used is unmounted. What cannot be is left for the next one who looks. */
  async release(attempt: string): Promise<void> {
    await this.#keep(user => user !== attempt);
  }

  /** Unmounts what attempts used that are no more. */
  async retain(attempts: ReadonlySet<string>): Promise<void> {
    await this.#keep(user => attempts.has(user));
  }

  /** Takes away whatever is mounted at a folder or below it, whoever did that. @throws Error when something stays */
  async clear(folder: string): Promise<void> {
    if (!existsSync(folder)) return;
    for (const place of mountsIn(realPlace(folder))) await this.#inTurn(place, () => unmount(place));
  }

  async #mount(what: Mounting, places: Places, signal: AbortSignal): Promise<void> {
    const { name, place } = what;
    const entry = this.#read(fileOf(place));
    const others = entry?.users.filter(user => user !== places.attempt) ?? [];
    const mine: Entry = { place, what: idOf(what), users: [...others, places.attempt] };
    if (isMounted(place)) {
      if (entry === undefined) throw new InputError(`${name}: something else is mounted there`);
      if (entry.what === mine.what && answers(place)) return this.#write(mine);
      if (entry.what !== mine.what && others.length > 0)
        throw new InputError(`${name}: another job on this host uses the place for something else`);
      await unmount(place);
    }
    this.#write(mine);
    await makeFolder(place, places.owner);
    const log = join(places.folder, "mount.log");
    try {
      await mount(what, { path: this.#options.path, owner: places.owner, cache: this.#cacheOf(place), log }, signal);
    } catch (error) {
      await this.#drop(place, user => user !== places.attempt);
      throw error;
    }
    this.#options.journal.note("mounted", { place, attempt: places.attempt });
  }

  async #keep(keeps: (user: string) => boolean): Promise<void> {
    const entries = this.#entries().filter(entry => entry.users.length === 0 || !entry.users.every(keeps));
    await Promise.all(entries.map(({ place }) => this.#inTurn(place, () => this.#drop(place, keeps))));
  }

  async #drop(place: string, keeps: (user: string) => boolean): Promise<void> {
    const entry = this.#read(fileOf(place));
    if (entry === undefined) return;
    const users = entry.users.filter(keeps);
    this.#write({ ...entry, users });
    if (users.length > 0) return;
    try {
      await unmount(place);
      rmSync(this.#cacheOf(place), { recursive: true, force: true });
      rmSync(join(this.#options.folder, fileOf(place)), { force: true });
    } catch (error) {
      this.#options.journal.warn("not unmounted", { place, error: messageOf(error) });
    }
  }

  #entries(): Entry[] {
    const { folder } = this.#options;
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap(name => (name.endsWith(".json") ? (this.#read(name) ?? []) : []));
  }

  #read(name: string): Entry | undefined {
    return readJson<Entry>(join(this.#options.folder, name));
  }

  #write(entry: Entry): void {
    writeWhole(join(this.#options.folder, fileOf(entry.place)), JSON.stringify(entry));
  }

  #cacheOf(place: string): string {
    return join(this.#options.folder, fileOf(place).replace(/json$/, "cache"));
  }

  /** One after the other, for each place. */
  async #inTurn<T>(place: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(place);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    this.#turns.set(place, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(place) === mine) this.#turns.delete(place);
    }
  }
}

const fileOf = (place: string): string => `${hash(place)}.json`;

const idOf = ({ bucket, prefix, isCached, access }: Mounting): string =>
  hash(JSON.stringify([bucket, prefix, isCached, access]));

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Does not wait for a turn that others may take a minute to give away. */
async function unlessAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([turn, once(signal, "abort", { signal: over.signal })]);
    signal.throwIfAborted();
  } finally {
    over.abort();
  }
}

/** Whether what is mounted still has somebody behind it. */
function answers(place: string): boolean {
  try {
    return statSync(place).isDirectory();
  } catch {
    return false;
  }
}
