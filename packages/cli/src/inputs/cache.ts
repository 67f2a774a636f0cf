/**
 * What this machine remembers of a folder that it has sent: the content of each file, by what the file tells of itself,
 * and the archive that each run became. It saves reading and packing; what exists is asked of the control plane each time.
 *
 * A file is believed to be unchanged when its size, times and inode are as they were. Its ctime cannot be set back. A
 * file that was written shortly before it was read may be written again within the same tick of the file system's clock,
 * which nothing would tell: it is not remembered (git calls such entries racy).
 */
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { type FileEntry, isSame, type Listing, type Stamp } from "./list.ts";
import { FORMAT } from "./pack.ts";

/** No file system that this program runs on has a coarser clock (FAT), in ms. */
const TICK = 2000;
/** Archives that are remembered of one folder: those of some branches and states. */
const MOST_ARCHIVES = 3000;
/** Folders that are remembered, and for how long they are when nobody sends them, in ms. */
const MOST_FOLDERS = 100;
const LONGEST = 90 * 24 * 3_600_000;

export interface Archive {
  readonly sha256: string;
  readonly size: number;
}

export interface Cache {
  /** Whether anything is known at all. */
  readonly isEmpty: boolean;
  /** SHA-256 of a file's content, if it is known and the file has not changed. */
  contentOf(entry: FileEntry): string | undefined;
  /** @param readAt Epoch ms, before the reading began. */
  learnContent(path: string, stamp: Stamp, sha256: string, readAt: number): void;
  archiveOf(description: string): Archive | undefined;
  learnArchive(description: string, archive: Archive): void;
  /** Writes what changed; only files of this listing are kept. A folder that cannot be written to is no failure. */
  save(listing: Pick<Listing, "entries">): void;
}

type Line = readonly [path: string, ...stamp: [number, number, number, number], sha256: string];

type Pack = readonly [description: string, sha256: string, size: number];

/** One line of the file each; the first says what it is, the last is the hash of all before it. */
const headOf = (root: string) => ({ format: FORMAT, root });
interface Part {
  readonly files?: readonly Line[];
  /** The one used last at the end. */
  readonly packs?: readonly Pack[];
}
/** Entries on one line: it is never all in memory as text. */
const PART = 2000;

/** Where caches are kept. XDG wants a relative folder ignored. */
export function folderOf(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), ".cache"), "muster", "uploads");
}

/** The cache of what lies at this path; an empty one when there is none that makes sense. */
export function openCache(folder: string, path: string, now: () => number = Date.now): Cache {
  const root = realpathSync(path);
  const place = join(folder, createHash("sha256").update(root).digest("hex").slice(0, 32));
  const parts = read(place, root);
  const files = new Map<string, Line>();
  const archives = new Map<string, Archive>();
  for (const part of parts ?? []) {
    for (const line of part.files ?? []) files.set(line[0], line);
    for (const [description, sha256, size] of part.packs ?? []) archives.set(description, { sha256, size });
  }
  const state = { isChanged: false };
  return {
    isEmpty: parts === undefined,
    contentOf: ({ path: name, stamp }) => {
      const line = files.get(name);
      return line !== undefined && isSame(stampIn(line), stamp) ? line[5] : undefined;
    },
    learnContent: (name, stamp, sha256, readAt) => {
      const { size, mtimeMs, ctimeMs, ino } = stamp;
      state.isChanged = true;
      if (readAt - ctimeMs > TICK) files.set(name, [name, size, mtimeMs, ctimeMs, ino, sha256]);
      else files.delete(name);
    },
    archiveOf: description => {
      const archive = archives.get(description);
      if (archive === undefined) return undefined;
      archives.delete(description);
      archives.set(description, archive);
      return archive;
    },
    learnArchive: (description, archive) => {
      state.isChanged = true;
      archives.delete(description);
      archives.set(description, archive);
    },
    save: ({ entries }) => {
      const lines = entries.map(entry => files.get(entry.path)).filter(line => line !== undefined);
      if (!state.isChanged && lines.length === files.size) return;
      const packs = [...archives]
        .slice(-MOST_ARCHIVES)
        .map(([description, { sha256, size }]): Pack => [description, sha256, size]);
      write(folder, place, [
        headOf(root),
        ...some(lines).map(part => ({ files: part })),
        ...some(packs).map(part => ({ packs: part })),
      ]);
      tidy(folder, now());
      state.isChanged = false;
    },
  };
}

const stampIn = ([, size, mtimeMs, ctimeMs, ino]: Line): Stamp => ({ size, mtimeMs, ctimeMs, ino });

function some<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / PART) }, (_, index) =>
    all.slice(index * PART, (index + 1) * PART),
  );
}

function read(place: string, root: string): Part[] | undefined {
  try {
    const bytes = readFileSync(place);
    const end = bytes.lastIndexOf("\n") + 1;
    // What was changed by anything but this program is not believed.
    const hash = createHash("sha256").update(bytes.subarray(0, end)).digest("hex");
    if (hash !== bytes.toString("latin1", end)) return undefined;
    const lines = linesOf(bytes.subarray(0, end));
    if (lines.next().value !== JSON.stringify(headOf(root))) return undefined;
    const used = new Date();
    utimesSync(place, used, used);
    return Array.from(lines, (line): Part => JSON.parse(line));
  } catch {
    // Not there, or not to be read: then everything is looked at anew.
    return undefined;
  }
}

function* linesOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\n", at);
    yield bytes.toString("utf8", at, end);
    at = end + 1;
  }
}

function write(folder: string, place: string, parts: readonly object[]): void {
  const beside = `${place}.${randomUUID()}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const hash = createHash("sha256");
    const file = openSync(beside, "wx", 0o600);
    try {
      for (const part of parts) {
        const line = Buffer.from(`${JSON.stringify(part)}\n`);
        hash.update(line);
        writeFileSync(file, line);
      }
      writeFileSync(file, hash.digest("hex"));
    } finally {
      closeSync(file);
    }
    renameSync(beside, place);
  } catch {
    // A disk that is full or read-only costs the next upload time, and this one nothing.
    rmSync(beside, { force: true });
  }
}

/** Removes what nobody has used for long, and the oldest of too many. */
function tidy(folder: string, now: number): void {
  try {
    const found = readdirSync(folder).map(name => {
      const path = join(folder, name);
      return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
    });
    const newest = found.toSorted((a, b) => b.at - a.at);
    for (const [index, { path, at }] of newest.entries())
      if (index >= MOST_FOLDERS || now - at > LONGEST) rmSync(path, { force: true });
  } catch {
    // Another run tidies up at the same time.
  }
}
