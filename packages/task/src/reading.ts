/** One reading of one file: what was found wrong, what Muster cannot do yet, and where each value came from. */
import { nearest } from "@muster/core/near.ts";
import type { Dialect } from "./dialect.ts";
import type { Issue } from "./error.ts";
import type { Duplicate } from "./yaml/convert.ts";
import { spell } from "./yaml/scalar.ts";
import { isNull, join, type Mapping, type Node } from "./yaml/tree.ts";

/** Where in the file something stands. */
export interface Place {
  readonly path: string;
  readonly line?: number | undefined;
}

/** A key that its launcher knows and Muster cannot do yet. */
export interface Unsupported {
  readonly path: string;
  readonly why: string;
}

export interface Reading {
  readonly dialect: Dialect;
  readonly issues: Issue[];
  readonly warnings: string[];
  readonly unsupported: Unsupported[];
  /** Canonical field to the place that gave it. */
  readonly origins: Map<string, Place>;
  /** Where a key belongs that stands elsewhere, or goes by another name in this dialect. */
  readonly homes: ReadonlyMap<string, string>;
}

/** How one key is read into `O`: by a function, or not yet. */
export type Field<O> = ((reading: Reading, value: Node, at: Place, out: O) => void) | { readonly why: string };
/** The keys that a map may have, in the order in which they are read. */
export type Keys<O> = Readonly<Record<string, Field<O>>>;

export const begin = (dialect: Dialect, homes: ReadonlyMap<string, string>): Reading => ({
  dialect,
  issues: [],
  warnings: [],
  unsupported: [],
  origins: new Map(),
  homes,
});

/** Notes keys that a map has twice: of SkyPilot's files the last one counts, as it does there. */
export function noteTwice(reading: Reading, duplicates: readonly Duplicate[]): void {
  for (const { path, line, first } of duplicates) {
    const message = `is there twice: on line ${first}, and again here`;
    if (reading.dialect !== "skypilot") refuse(reading, { path, line }, message);
    else reading.warnings.push(`${path} (line ${line}): ${message}; the last one counts`);
  }
}

/** More than anybody reads, and a bound on the work that a hostile file makes. */
const MOST_ISSUES = 100;

/** Notes a problem. */
export function refuse(reading: Reading, at: Place, message: string, suggestion?: string): undefined {
  if (reading.issues.length >= MOST_ISSUES) return undefined;
  // One slip may be read over and over, as when alternatives are multiplied.
  const isTold = reading.issues.some(one => one.path === at.path && one.line === at.line && one.message === message);
  if (isTold) return undefined;
  reading.issues.push({
    path: at.path,
    ...(at.line !== undefined && { line: at.line }),
    message,
    ...(suggestion !== undefined && { suggestion }),
  });
  return undefined;
}

/** Notes something that is right in its launcher, and that Muster cannot do yet. */
export function defer(reading: Reading, at: Place, why: string): undefined {
  reading.unsupported.push({ path: at.path, why });
  return undefined;
}

/** Takes a canonical field for a place; false when another key gave it already, which is a problem. */
export function claim(reading: Reading, field: string, at: Place): boolean {
  const other = reading.origins.get(field);
  if (other === undefined) {
    reading.origins.set(field, at);
    return true;
  }
  refuse(reading, at, `says the same as ${other.path}: keep one of them`);
  return false;
}

const NO_HOMES: ReadonlyMap<string, string> = new Map();

/** The same reading inside a map of its own: the task's keys are not at home there, though one may be called like one. */
export const inside = (reading: Reading): Reading => ({ ...reading, homes: NO_HOMES });

/** Reads a map by its table of keys. A key with nothing in it is as good as absent. */
export function walk<O>(reading: Reading, map: Mapping, base: string, keys: Keys<O>, out: O): void {
  const at = (key: string): Place => ({ path: join(base, key), line: map.entries.get(key)?.line });
  for (const key of map.entries.keys()) {
    if (reading.issues.length >= MOST_ISSUES) break;
    if (!Object.hasOwn(keys, key)) refuse(reading, at(key), unknown(reading), meant(reading, key, keys));
  }
  for (const [key, field] of Object.entries(keys)) {
    const entry = map.entries.get(key);
    if (entry === undefined || isNull(entry.value)) continue;
    if (typeof field === "function") field(reading, entry.value, at(key), out);
    else defer(reading, at(key), field.why);
  }
}

function meant<O>(reading: Reading, key: string, keys: Keys<O>): string | undefined {
  const home = reading.homes.get(key);
  return home === undefined ? similar(key, Object.keys(keys)) : `did you mean '${home}'?`;
}

const unknown = (reading: Reading): string =>
  reading.dialect === "oumi" ? "is not a key of an Oumi job" : "is not a key that Muster knows";

/** "did you mean …?", when one of the words is close enough to be meant. */
export function similar(word: string, words: readonly string[]): string | undefined {
  const best = nearest(word, words);
  return best === undefined ? undefined : `did you mean '${best}'?`;
}

/** What a node is, in a user's words. */
export function kindOf(node: Node): string {
  if (node.kind !== "scalar") return node.kind === "list" ? "a list" : "a map";
  if (node.value === null) return "empty";
  if (typeof node.value === "boolean") return `the boolean ${node.value}`;
  return typeof node.value === "number" ? `the number ${node.text}` : "text";
}

const placeOf = (node: Node, at: Place): Place => ({ path: at.path, line: node.line ?? at.line });

/** Notes that a node has the wrong type. */
export function mistyped(reading: Reading, node: Node, at: Place, wanted: string, suggestion?: string): undefined {
  return refuse(reading, placeOf(node, at), `must be ${wanted}, and is ${kindOf(node)}`, suggestion);
}

/** Text. Numbers and booleans are text to Oumi and on the command line; elsewhere they want quotes. */
export function text(reading: Reading, node: Node, at: Place): string | undefined {
  if (node.kind !== "scalar") return mistyped(reading, node, at, "text");
  if (typeof node.value === "string") return node.value;
  if (node.loose) return node.text;
  if (reading.dialect === "oumi" && node.value !== null) return spell(node);
  return mistyped(reading, node, at, "text", `put it in quotes: "${node.text}"`);
}

const OUMI_TRUE = /^(?:on|y|yes|true|1)$/i;
const OUMI_FALSE = /^(?:off|n|no|false|0)$/i;

/** True or false. */
export function flag(reading: Reading, node: Node, at: Place): boolean | undefined {
  if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
  if (reading.dialect === "oumi" && node.kind === "scalar") {
    if (typeof node.value === "number") return node.value !== 0;
    if (OUMI_TRUE.test(node.text)) return true;
    if (OUMI_FALSE.test(node.text)) return false;
  }
  return mistyped(reading, node, at, "true or false");
}

/** A whole number. Oumi takes it as text, too. */
export function whole(reading: Reading, node: Node, at: Place): number | undefined {
  if (node.kind !== "scalar") return mistyped(reading, node, at, "a whole number");
  if (typeof node.value === "number" && Number.isInteger(node.value)) return node.value;
  const lenient = reading.dialect === "oumi" && /^-?\d+$/.test(node.text);
  return lenient ? Number(node.text) : mistyped(reading, node, at, "a whole number");
}

/** Text or a number, as written. */
export function written(reading: Reading, node: Node, at: Place, wanted: string): string | undefined {
  const fits = node.kind === "scalar" && (typeof node.value === "string" || typeof node.value === "number");
  if (!fits) return mistyped(reading, node, at, wanted);
  // As written and not as read: `8:30` in YAML 1.1 is the number 510.
  return node.text.trim();
}

/** A map. */
export function mapping(reading: Reading, node: Node, at: Place): Mapping | undefined {
  return node.kind === "map" ? node : mistyped(reading, node, at, "a map");
}
