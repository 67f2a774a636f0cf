/** Which folders and files are outputs: the places that a task names, some of them patterns. */
import { realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { placeOf } from "../inputs/place.ts";
import { type Raw, rawOf } from "../keep/names.ts";

/** A folder whose files are kept, or some of them; or one file. */
export interface Root {
  /** Absolute, and no link. */
  readonly base: Raw;
  /** Another name of it. */
  readonly alias: Raw;
  readonly isFile: boolean;
  /** Stands before the paths of its files; empty where the paths stand for themselves. */
  readonly name: Raw;
  enters(path: Raw): boolean;
  wants(path: Raw): boolean;
}

const MAGIC = /[*?[]/;

interface Place {
  /** Up to where the pattern begins. */
  readonly literal: string;
  readonly pattern: readonly string[] | undefined;
  readonly name: string;
}

interface Bases {
  readonly home: string;
  readonly workdir: string;
}

interface Found {
  readonly base: Raw;
  readonly alias: Raw;
  readonly isFile: boolean;
  readonly name: string;
  readonly patterns: Pattern[];
}

/** @returns the roots, and the places at which there is nothing. @throws InputError for a place that no host has */
export function rootsOf(
  places: readonly string[],
  bases: Bases,
): { readonly roots: Root[]; readonly absent: string[] } {
  const found = new Map<Raw, Found>();
  const absent: string[] = [];
  for (const place of places) {
    const root = rootOf(place, bases);
    if (root === undefined) absent.push(place);
    else found.set(root.base, { ...root, patterns: [...(found.get(root.base)?.patterns ?? []), ...root.patterns] });
  }
  const names = new Set<string>();
  const roots = [...found.values()].map(({ patterns, name, ...root }) => ({
    ...root,
    name: rawOf(distinct(name, names)),
    enters: (folder: Raw) => patterns.some(one => one.enters(folder)),
    wants: (file: Raw) => patterns.some(one => one.wants(file)),
  }));
  return { roots, absent };
}

function rootOf(place: string, bases: Bases): Found | undefined {
  const { literal, pattern = [], name } = parse(place, bases);
  const path = placeOf(literal === "" ? "." : literal, bases.home, bases.workdir).replace(/(?<=.)\/+$/, "");
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !(stats.isDirectory() || stats.isFile())) return undefined;
  const base = real(path);
  const patterns = [pattern.length === 0 ? EVERYTHING : patternOf(pattern.map(rawOf))];
  const own = { base, alias: rawOf(path), isFile: stats.isFile(), name, patterns };
  if (/^[/~]/.test(literal)) return own;
  // One root for all of the workdir: places in it may overlap. What a link leads to stands for itself.
  const workdir = real(bases.workdir);
  const parts = literal === "" ? [] : literal.split("/").map(rawOf);
  if (base !== [workdir, ...parts].join("/")) return own;
  const whole =
    parts.length + pattern.length === 0 ? EVERYTHING : patternOf([...parts, ...pattern.map(rawOf)], parts.length);
  return { base: workdir, alias: rawOf(bases.workdir), isFile: false, name: "", patterns: [whole] };
}

const real = (path: string): Raw => realpathSync(path, "buffer").toString("latin1");

function parse(place: string, { home, workdir }: Bases): Place {
  // A file may be called like a pattern.
  const isThere = statSync(placeOf(place, home, workdir), { throwIfNoEntry: false }) !== undefined;
  const parts = place
    .split("/")
    .filter((part, index) => (part !== "" || index === 0) && part !== ".")
    // Each of them would try all the ways that the others leave.
    .filter((part, index, all) => part !== DEEP || all[index - 1] !== DEEP);
  const at = isThere ? -1 : parts.findIndex(part => MAGIC.test(part));
  const before = at < 0 ? parts : parts.slice(0, at);
  const literal = before.join("/") || (place.startsWith("/") ? "/" : "");
  return { literal, pattern: at < 0 ? undefined : parts.slice(at), name: nameOf(literal) };
}

/** Of the workdir, the whole path below it; of what is elsewhere, its last name. */
function nameOf(literal: string): string {
  if (!/^[/~]/.test(literal)) return literal;
  return literal === "~" ? "" : basename(literal);
}

function distinct(name: string, names: Set<string>): string {
  let free = name;
  for (let count = 2; names.has(free); count++) free = name === "" ? `${count}` : beside(name, count);
  names.add(free);
  return free;
}

const beside = (name: string, count: number): string => {
  const folder = dirname(name);
  return folder === "." ? `${basename(name)}-${count}` : `${folder}/${basename(name)}-${count}`;
};

interface Pattern {
  enters(folder: Raw): boolean;
  wants(file: Raw): boolean;
}

const EVERYTHING: Pattern = { enters: () => true, wants: () => true };

/**
 * `*` and `?` stay within a name, and leave hidden ones alone; `**` is any number of folders; `[a-z]`, `[!a-z]`.
 * @param literals how many of the parts stand for themselves
 */
export function patternOf(parts: readonly Raw[], literals = 0): Pattern {
  const sources = parts.map((part, index) => (index < literals ? part.replaceAll(SPECIAL, "\\$&") : nameSource(part)));
  const whole = new RegExp(`^${sourceOf(sources)}(?:/|$)`, "s");
  const deep = sources.indexOf(DEEP);
  const plain = deep < 0 ? sources : sources.slice(0, deep);
  const beginnings = plain.map((_, index) => new RegExp(`^${plain.slice(0, index + 1).join("/")}$`, "s"));
  const leads = (folder: Raw): boolean => {
    const depth = folder.split("/").length;
    const known = deep < 0 ? depth : Math.min(depth, deep);
    if (known === 0) return true;
    if (known > parts.length) return false;
    const beginning = folder.split("/").slice(0, known).join("/");
    return beginnings[known - 1]?.test(beginning) ?? false;
  };
  return { enters: folder => whole.test(folder) || leads(folder), wants: file => whole.test(file) };
}

/** Stands for any number of folders; no source of a name is like it. */
const DEEP = "**";

function sourceOf(sources: readonly string[]): string {
  return sources
    .map((source, index) => {
      const isLast = index === sources.length - 1;
      if (source === DEEP) return isLast ? ".+" : "(?:[^/]+/)*";
      return isLast ? source : `${source}/`;
    })
    .join("");
}

/** One character, which may be of several bytes. */
const CHARACTER = "(?:[\\x00-\\x2e\\x30-\\x7f]|[\\x80-\\xff][\\x80-\\xbf]*)";

function nameSource(part: Raw): string {
  if (part === DEEP) return DEEP;
  const hidden = part.startsWith(".") ? "" : "(?!\\.)";
  const body = part.replaceAll(/\*+|\?|\[(!?)([^\]/]+)\]|[^*?[]+|\[/g, (whole, not?: string, set?: string) => {
    if (whole.startsWith("*")) return "[^/]*";
    if (whole === "?") return CHARACTER;
    return (set === undefined ? undefined : oneOf(set, not === "!")) ?? whole.replaceAll(SPECIAL, "\\$&");
  });
  return `${hidden}${body}`;
}

/** What means something in an expression. */
const SPECIAL = /[.*+?^${}()|[\]\\]/g;

/** Undefined for a range that goes backwards: it stands for itself. */
function oneOf(set: Raw, not: boolean): string | undefined {
  const source = `[${not ? "^/" : ""}${set.replaceAll(/[\\\]^]/g, "\\$&")}]`;
  try {
    return new RegExp(source).source;
  } catch {
    return undefined;
  }
}
