/**
 * Brings a generation of a checkpoint back, into a folder that nobody else uses yet. URLs are asked for a part at a time,
 * and again when they have ended, so that it may take as long as it takes. Safe to do again from where it ended.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, chown, lchown, lstat, mkdir, rename, rm, symlink, utimes } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Control, Refusal } from "../control/call.ts";
import { send } from "../control/send.ts";
import { hasCode, messageOf } from "../disk.ts";
import type { Account } from "../host/account.ts";
import { InputError } from "../inputs/place.ts";
import { bytesOf, type Raw, rawOf, unspelled } from "../keep/names.ts";
import { within } from "../keep/scan.ts";
import { inParallel } from "../outputs/outputs.ts";
import type { Ask, Given } from "../types.ts";
import { backoff, sleep } from "../wait.ts";

/** Ms without a byte. */
const PATIENCE = 60_000;
/** Ms without a file or a piece of one that arrived. */
const GIVE_UP = 30 * 60_000;
/** A wrong hash is seldom the way's fault. */
const HASH_TRIES = 3;

type File = Given["files"][number];

export interface Restoring {
  readonly control: Pick<Control, "checkpoint">;
  readonly ask: Omit<Ask, "part">;
  readonly folder: string;
  readonly owner: Account | undefined;
  readonly signal: AbortSignal;
}

export interface Restored {
  /** What is there now, by its path. */
  readonly files: ReadonlyMap<Raw, File>;
  readonly bytes: number;
}

/** @throws InputError when it cannot be had */
export async function restore(restoring: Restoring): Promise<Restored> {
  const work = new Work(restoring);
  for (let part = 0; await work.part(part); part++);
  await work.links();
  return { files: work.files, bytes: work.bytes };
}

class Work {
  readonly files = new Map<Raw, File>();
  bytes = 0;
  readonly #restoring: Restoring;
  readonly #base: Raw;
  readonly #folders = new Set<Raw>();
  #movedAt = performance.now();

  constructor(restoring: Restoring) {
    this.#restoring = restoring;
    this.#base = rawOf(restoring.folder);
  }

  /** Whether there is another part. */
  async part(number: number): Promise<boolean> {
    const page = { given: await this.#ask(number) };
    const again = async (): Promise<void> => {
      page.given = await this.#ask(number);
    };
    for (const file of page.given.files) this.files.set(pathOf(file), file);
    await inParallel(page.given.files.keys(), async index => {
      if (page.given.files[index]?.link === undefined) await this.#file(() => page.given.files[index], again);
    });
    return number + 1 < page.given.parts;
  }

  /** Last: nothing is written through them. */
  async links(): Promise<void> {
    for (const [path, { link }] of this.files) {
      if (link === undefined || within(path, rawOf(link), []) === undefined) continue;
      await this.#makeFolders(path);
      const place = bytesOf(`${this.#base}/${path}`);
      await rm(place, { force: true });
      await symlink(link, place);
      await this.#give(place, true);
    }
  }

  async #file(now: () => File | undefined, again: () => Promise<void>): Promise<void> {
    for (let failures = 0, wrong = 0; ; failures++) {
      const file = now();
      if (file === undefined) throw gone();
      const path = pathOf(file);
      await this.#makeFolders(path);
      if (await this.#isThere(path, file)) break;
      const problem = await this.#fetch(path, file);
      if (problem === undefined) break;
      wrong += problem === WRONG ? 1 : 0;
      if (wrong >= HASH_TRIES) throw new InputError(`the checkpoint's ${file.path}: ${WRONG}`);
      await this.#pause(failures, problem);
      // Its URL may have ended meanwhile.
      await again();
    }
  }

  /** @returns what went wrong, in a way that may pass */
  async #fetch(path: Raw, file: File): Promise<string | undefined> {
    const place = `${this.#base}/${path}`;
    const name = createHash("sha256").update(bytesOf(path)).digest("hex").slice(0, 32);
    const beside = bytesOf(`${dirname(place)}/.${name}.muster`);
    try {
      if ((await this.#download(file, beside)) !== file.sha256) return WRONG;
      await chmod(beside, file.mode);
      await this.#give(beside);
      const time = file.mtime / 1000;
      await utimes(beside, time, time);
      await rename(beside, bytesOf(place));
      this.bytes += file.size;
      return undefined;
    } catch (error) {
      this.#restoring.signal.throwIfAborted();
      if (hasCode(error, "ENOSPC", "EDQUOT", "EROFS", "EACCES"))
        throw new InputError(`the checkpoint's ${file.path}: ${messageOf(error)}`);
      return messageOf(error);
    }
  }

  async #download({ pieces }: File, beside: Buffer): Promise<string> {
    const hash = createHash("sha256");
    await rm(beside, { force: true });
    await pipeline(async function* () {}, createWriteStream(beside, { mode: 0o600 }));
    for (const { url, size } of pieces) {
      const answer = await send(url, { method: "GET", patience: PATIENCE, signal: this.#restoring.signal });
      if (answer.statusCode !== 200) {
        answer.destroy();
        throw new Error(`HTTP ${answer.statusCode}`);
      }
      await pipeline(hashed(answer, size, hash), createWriteStream(beside, { flags: "a" }));
      this.#movedAt = performance.now();
    }
    return hash.digest("hex");
  }

  async #isThere(path: Raw, { size, mtime }: File): Promise<boolean> {
    const found = await lstat(bytesOf(`${this.#base}/${path}`)).catch(() => undefined);
    return found?.isFile() === true && found.size === size && Math.abs(found.mtimeMs - mtime) < 1;
  }

  async #makeFolders(path: Raw): Promise<void> {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (this.#folders.has(folder)) continue;
      const place = bytesOf(`${this.#base}/${folder}`);
      await mkdir(place).then(
        () => this.#give(place),
        (error: unknown) => {
          if (!hasCode(error, "EEXIST")) throw error;
        },
      );
      this.#folders.add(folder);
    }
  }

  async #give(place: Buffer, isLink = false): Promise<void> {
    const { owner } = this.#restoring;
    if (owner === undefined || owner.as.length === 0) return;
    await (isLink ? lchown : chown)(place, owner.uid, owner.gid);
  }

  async #ask(part: number): Promise<Given> {
    for (let failures = 0; ; failures++) {
      try {
        const given = await this.#restoring.control.checkpoint({ ...this.#restoring.ask, part });
        this.#movedAt = failures === 0 ? this.#movedAt : performance.now();
        return given;
      } catch (error) {
        if (error instanceof Refusal && error.code === "not_found") throw gone();
        await this.#pause(failures, messageOf(error));
      }
    }
  }

  async #pause(failures: number, why: string): Promise<void> {
    if (performance.now() - this.#movedAt > GIVE_UP)
      throw new InputError(`the checkpoint could not be brought back: ${why}`);
    await sleep(backoff(failures), this.#restoring.signal);
  }
}

const WRONG = "what arrived does not have the hash that it should have";
const gone = (): InputError => new InputError("the checkpoint could not be brought back: it is not there any more");

/** @throws InputError for a path that would lead out of the folder */
function pathOf(file: File): Raw {
  const path = unspelled(file);
  if (path.split("/").some(part => part === "" || part === "." || part === ".." || part.includes("\0")))
    throw new InputError(`the checkpoint has a path that no file can have: ${JSON.stringify(file.path)}`);
  return path;
}

async function* hashed(
  answer: IncomingMessage,
  size: number,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  let got = 0;
  for await (const bytes of answer as AsyncIterable<Buffer>) {
    got += bytes.length;
    hash.update(bytes);
    yield bytes;
  }
  if (got !== size) throw new Error(`it broke off after ${got} of ${size} bytes`);
}
