/** What of a folder is sent. */
import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { enter, isEnvironment, isIgnored, type Scope, scopeOf } from "./ignored.ts";
import { decode, onDisk, shown } from "./names.ts";

/**
 * By what a file tells that it has changed. Times are epoch ms with their fractions: a number holds them to a quarter of
 * a microsecond, which is finer than the clocks that file systems read.
 */
export interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

interface Named {
  /** Relative to the folder, with `/`; see names.ts. */
  readonly path: string;
}
export interface FileEntry extends Named {
  readonly kind: "file";
  readonly mode: number;
  readonly stamp: Stamp;
}
export interface FolderEntry extends Named {
  readonly kind: "folder";
  readonly mode: number;
}
export interface LinkEntry extends Named {
  readonly kind: "link";
  readonly target: string;
}
export type Entry = FileEntry | FolderEntry | LinkEntry;

export interface Listing {
  readonly root: string;
  /** Each folder before what is in it; siblings by their names' UTF-16, not by the machine's language. */
  readonly entries: readonly Entry[];
  readonly files: number;
  readonly bytes: number;
  /** Links that lead out of the folder, which will lead nowhere on a host. */
  readonly stray: readonly string[];
}

/** @throws MusterError `invalid_request` with the path of a folder that cannot be read. */
export function list(root: string): Listing {
  const entries: Entry[] = [];
  walk(entries, { root, path: "", scope: scopeOf(root), inside: read(root) });
  const files = entries.filter(entry => entry.kind === "file");
  return {
    root,
    entries,
    files: files.length,
    bytes: files.reduce((sum, { stamp }) => sum + stamp.size, 0),
    stray: entries.flatMap(entry => (entry.kind === "link" && leadsOut(root, entry) ? [shown(entry.path)] : [])),
  };
}

export const sizeOf = (entry: Entry): number => (entry.kind === "file" ? entry.stamp.size : 0);

/**
 * Permissions as they are sent. They do not depend on the owner's umask, and a folder can be written into, for what is in
 * it may arrive later. Bits that would make a program run as somebody else are left out.
 */
export function modeOf({ mode }: Pick<Stats, "mode">, isFolder: boolean): number {
  const bits = ((mode & 0o777) | 0o600) & ~0o022;
  return isFolder ? bits | ((bits & 0o444) >> 2) : bits;
}

export const stampOf = ({ size, mtimeMs, ctimeMs, ino }: Stats): Stamp => ({ size, mtimeMs, ctimeMs, ino });

export const isSame = (a: Stamp, b: Stamp): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;

/** The largest things at the top of a folder, to say what makes it big. */
export function largest(entries: readonly Entry[], count: number): { path: string; size: number }[] {
  const sums = new Map<string, number>();
  for (const entry of entries) {
    const top = entry.path.split("/", 2).join("/");
    sums.set(top, (sums.get(top) ?? 0) + sizeOf(entry));
  }
  return [...sums]
    .map(([path, size]) => ({ path: shown(path), size }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size)
    .slice(0, count);
}

interface Inside {
  readonly children: readonly Dirent[];
  readonly names: ReadonlySet<string>;
}

interface Folder {
  readonly root: string;
  /** Relative to the root; empty for the root itself. */
  readonly path: string;
  readonly scope: Scope;
  readonly inside: Inside;
}

function walk(entries: Entry[], { root, path, scope, inside }: Folder): void {
  for (const child of inside.children) {
    const name = path === "" ? child.name : `${path}/${child.name}`;
    const full = `${root}/${name}`;
    if (isIgnored(scope, full, child.isDirectory())) continue;
    if (child.isDirectory()) descend(entries, { root, path: name, scope }, full);
    else if (child.isSymbolicLink()) entries.push({ path: name, kind: "link", target: targetOf(full) });
    // Sockets, pipes and devices mean nothing elsewhere.
    else if (child.isFile()) addFile(entries, name, full);
  }
}

function descend(entries: Entry[], folder: Omit<Folder, "inside">, full: string): void {
  const stats = lstatSync(onDisk(full), { throwIfNoEntry: false });
  if (stats === undefined) return;
  const inside = read(full);
  if (isEnvironment(folder.scope, full, inside.names)) return;
  entries.push({ path: folder.path, kind: "folder", mode: modeOf(stats, true) });
  walk(entries, { ...folder, scope: enter(folder.scope, full, inside.names), inside });
}

function addFile(entries: Entry[], path: string, full: string): void {
  const stats = lstatSync(onDisk(full), { throwIfNoEntry: false });
  // It may be gone since.
  if (stats?.isFile()) entries.push({ path, kind: "file", mode: modeOf(stats, false), stamp: stampOf(stats) });
}

function read(folder: string): Inside {
  const children = namesIn(folder).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { children, names: new Set(children.map(child => child.name)) };
}

function namesIn(folder: string): Dirent[] {
  try {
    const children = readdirSync(onDisk(folder), { withFileTypes: true });
    if (!children.some(({ name }) => name.includes("\ufffd"))) return children;
    const raw = readdirSync(onDisk(folder), { withFileTypes: true, encoding: "buffer" });
    return raw.map(child => Object.assign(child, { name: decode(child.name) }) as unknown as Dirent);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/** What the machine says when something cannot be read, as a failure that names it. */
export function unreadable(path: string, error: unknown): MusterError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === "EACCES" || code === "EPERM" ? "permission denied" : message;
  return new MusterError(
    "invalid_request",
    `cannot read ${shown(path)}: ${why}`,
    { hint: "make it readable, or leave it out with a .musterignore file (its rules are those of .gitignore)" },
    error,
  );
}

const targetOf = (link: string): string => decode(readlinkSync(onDisk(link), { encoding: "buffer" }));

function leadsOut(root: string, { path, target }: LinkEntry): boolean {
  return isAbsolute(target) || relative(root, resolve(dirname(join(root, path)), target)).startsWith("..");
}

/** Whether a path below the folder stays at home. */
export function isLeftOut(root: string, path: string): boolean {
  const parts = path.split(sep);
  let scope = scopeOf(root);
  for (const [index] of parts.entries()) {
    const full = join(root, ...parts.slice(0, index + 1));
    const isFolder = lstatSync(full, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (isIgnored(scope, full, isFolder)) return true;
    if (!isFolder) continue;
    const { names } = read(full);
    if (isEnvironment(scope, full, names)) return true;
    scope = enter(scope, full, names);
  }
  return false;
}
