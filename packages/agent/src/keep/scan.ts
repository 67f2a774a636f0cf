/** What lies in a folder: files and links, folder by folder, in order. Nothing is followed. */
import type { BigIntStats } from "node:fs";
import { lstat, opendir, readlink } from "node:fs/promises";
import { hasCode } from "../disk.ts";
import { markOf } from "./file.ts";
import { bytesOf, type Raw } from "./names.ts";

export type Found =
  | { readonly kind: "file"; readonly path: Raw; readonly file: Raw; readonly size: number; readonly mark: string }
  | { readonly kind: "link"; readonly path: Raw; readonly target: string; readonly mtime: number }
  /** What cannot be kept. */
  | { readonly kind: "skipped"; readonly path: Raw; readonly why: Why };

export type Why = "link" | "special" | "unreadable";

export interface Scan {
  /** Absolute; a folder. */
  readonly base: Raw;
  /** Other names of the same folder, by which absolute links may lead into it. */
  readonly aliases?: readonly Raw[];
  /** Whether a folder, relative to the base, may hold what is wanted. */
  enters?(path: Raw): boolean;
  wants?(path: Raw): boolean;
  /** Names of one folder that are looked at. */
  readonly most: number;
}

/** Paths are relative to the base. */
export async function* scan(options: Scan): AsyncGenerator<Found> {
  const waiting: Raw[] = [""];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const below: Raw[] = [];
    yield* scanOne(options, folder, below);
    waiting.push(...below.reverse());
  }
}

/** What lies in one folder; folders in it are noted. */
async function* scanOne(options: Scan, folder: Raw, below: Raw[]): AsyncGenerator<Found> {
  const { base, enters = () => true, wants = () => true, most } = options;
  const names = await namesOf(joined(base, folder), most);
  if (names === undefined) yield { kind: "skipped", path: folder, why: "unreadable" };
  for (const name of names ?? []) {
    const path = joined(folder, name);
    const found = await look(options, path);
    if (found === "folder" && enters(path)) below.push(path);
    else if (found !== undefined && found !== "folder" && wants(path)) yield found;
  }
}

export const joined = (folder: Raw, name: Raw): Raw => (folder === "" ? name : `${folder}/${name}`);

/** In order; undefined for a folder that cannot be read. */
async function namesOf(folder: Raw, most: number): Promise<Raw[] | undefined> {
  try {
    const names: Raw[] = [];
    // Its type says that names are text, whatever was asked for.
    const entries = await opendir(bytesOf(folder), { encoding: "latin1" });
    for await (const { name } of entries) {
      names.push(name);
      if (names.length >= most) break;
    }
    return names.sort();
  } catch (error) {
    // It may have gone since it was seen.
    return hasCode(error, "ENOENT", "ENOTDIR") ? [] : undefined;
  }
}

async function look(options: Scan, path: Raw): Promise<Found | "folder" | undefined> {
  const file = joined(options.base, path);
  try {
    const stats = await lstat(bytesOf(file), { bigint: true });
    if (stats.isDirectory()) return "folder";
    if (stats.isSymbolicLink()) return await linkAt(options, path, stats);
    if (!stats.isFile()) return { kind: "skipped", path, why: "special" };
    return { kind: "file", path, file, size: Number(stats.size), mark: markOf(stats) };
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    return { kind: "skipped", path, why: "unreadable" };
  }
}

async function linkAt({ base, aliases = [] }: Scan, path: Raw, stats: BigIntStats): Promise<Found> {
  const bytes = await readlink(bytesOf(joined(base, path)), { encoding: "buffer" });
  const target = within(path, bytes.toString("latin1"), [base, ...aliases]);
  const text = target === undefined ? "" : bytesOf(target).toString();
  // A name that is no text would lead elsewhere.
  const isText = target !== undefined && Buffer.from(text).equals(bytesOf(target));
  if (!isText) return { kind: "skipped", path, why: "link" };
  return { kind: "link", path, target: text, mtime: Number(stats.mtimeNs) / 1e6 };
}

/** Where a link leads, relative to the folder that it is in; undefined when that is out of the base. */
export function within(path: Raw, target: Raw, bases: readonly Raw[]): Raw | undefined {
  const depth = path.split("/").length - 1;
  if (target.startsWith("/")) {
    const base = bases.find(one => target.startsWith(`${one}/`));
    return base && within(path, "../".repeat(depth) + target.slice(base.length + 1), []);
  }
  const parts = target.split("/").filter(part => part !== "" && part !== ".");
  const ups = parts.findIndex(part => part !== "..");
  // Behind a name, which may be a link itself, nobody knows where `..` leads.
  const isPlain = ups >= 0 && ups <= depth && !parts.slice(ups).includes("..");
  return isPlain ? target : undefined;
}
