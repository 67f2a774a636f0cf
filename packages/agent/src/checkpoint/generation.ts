/** One state of a checkpoint's folder on its way home: what changed is sent, then the manifest, and its end last. */
import { createHash } from "node:crypto";
import { hasCode } from "../disk.ts";
import type { Account } from "../host/account.ts";
import { sendFile } from "../keep/file.ts";
import { type Raw, spelled } from "../keep/names.ts";
import { type Found, scan } from "../keep/scan.ts";
import { Changed, type Store } from "../keep/store.ts";
import { blob, inParallel } from "../outputs/outputs.ts";
import type { Entry } from "../types.ts";

const MOST_FILES = 10_000;
const PER_PART = 500;
/** Characters of a part. */
const PART_LENGTH = 200_000;
/** Sent again after so long, in ms: the store forgets what is 90 days old. */
const FRESH = 30 * 24 * 3_600_000;
/** SHA-256 of no bytes. */
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

type Kept = Exclude<Found, { kind: "skipped" }>;

/** What is in the folder at a moment. */
export interface State {
  readonly files: readonly Kept[];
  /** The same for the same state. */
  readonly signature: string;
  readonly skipped: number;
}

/** What is home of a file, and which state of it that is. */
export interface Home {
  readonly mark: string;
  readonly entry: Entry;
}

/** @throws Changed for more files than are sent */
export async function look(folder: Raw, aliases: readonly Raw[], most = MOST_FILES): Promise<State> {
  const files: Kept[] = [];
  const hash = createHash("sha256");
  let skipped = 0;
  for await (const found of scan({ base: folder, aliases, most: most + 1 })) {
    if (found.kind === "skipped") {
      skipped++;
      continue;
    }
    if (files.push(found) > most) throw new Changed(`it has more than ${most} files`);
    hash.update(`${JSON.stringify([found.path, stateOf(found)])}\n`);
  }
  return { files, signature: hash.digest("hex"), skipped };
}

/** What tells one state of a file or link from another. */
export const stateOf = (found: Kept): string => (found.kind === "file" ? found.mark : found.target);

/** Whether anything must be sent again for its age alone. */
export const isAged = (home: ReadonlyMap<Raw, Home>, now = Date.now()): boolean =>
  [...home.values()].some(({ entry }) => !isFresh(entry, now));

const isFresh = ({ sentAt }: Entry, now: number): boolean => sentAt === undefined || now - sentAt < FRESH;

export interface Sending {
  readonly store: Store;
  readonly owner: Account | undefined;
  readonly number: number;
  /** What is home already; what is sent is added. */
  readonly home: Map<Raw, Home>;
}

/** Sends this state. @returns what it is made of. @throws Changed when it was written to meanwhile, and as the store does */
export async function sendState(state: State, sending: Sending): Promise<Map<Raw, Home>> {
  const { store, number } = sending;
  const made = new Map<Raw, Home>();
  await inParallel(state.files.keys(), async index => {
    const file = state.files[index];
    if (file !== undefined) made.set(file.path, await homeOf(file, index, sending));
  });
  const list = `${store.prefix}list/${padded(number, 8)}/`;
  const entries = state.files.flatMap(({ path }) => made.get(path)?.entry ?? []);
  const lines = partsOf(entries);
  for (const [part, text] of lines.entries()) await store.put(blob(`${list}${padded(part, 6)}`, text));
  const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
  const end = { parts: lines.length, files: entries.length, bytes, failed: state.skipped };
  await store.put(blob(`${list}end`, JSON.stringify(end)));
  return made;
}

async function homeOf(file: Kept, index: number, { store, owner, number, home }: Sending): Promise<Home> {
  const { path } = file;
  const now = Date.now();
  if (file.kind === "link") {
    const { target: link, mtime } = file;
    return { mark: link, entry: { ...spelled(path), size: 0, mode: 0o777, mtime, sha256: NOTHING, pieces: [], link } };
  }
  const known = home.get(path);
  if (known !== undefined && known.mark === file.mark && isFresh(known.entry, now)) return known;
  const keyOf = (piece: number): string => `files/${padded(number, 8)}/${padded(index, 6)}-${piece}`;
  // Keys are told from where those of all tries begin.
  const under = `${store.prefix.split("/").at(-2)}/`;
  const { mark, ...sent } = await sendFile(file.file, { store, owner, keyOf, under }).catch((error: unknown) => {
    throw hasCode(error, "ENOENT", "ELOOP") ? new Changed("a file went while it was sent") : error;
  });
  if (mark !== file.mark) throw new Changed("a file changed before it was sent");
  const made = { mark, entry: { ...spelled(path), ...sent, sentAt: now } };
  // Also when this generation comes to nothing: the next need not send it again.
  home.set(path, made);
  return made;
}

function partsOf(entries: readonly Entry[]): string[] {
  const parts: string[] = [];
  let lines: string[] = [];
  let length = 0;
  for (const entry of entries) {
    const line = `${JSON.stringify(entry)}\n`;
    if (lines.length >= PER_PART || (length > 0 && length + line.length > PART_LENGTH)) {
      parts.push(lines.join(""));
      lines = [];
      length = 0;
    }
    lines.push(line);
    length += line.length;
  }
  return lines.length === 0 ? parts : [...parts, lines.join("")];
}

const padded = (value: number, width: number): string => String(value).padStart(width, "0");
