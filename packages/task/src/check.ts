/**
 * Checks of values with which Muster does nothing yet: a slip in them is found all the same, so that a file that is
 * refused for what it asks is not refused again for how it says it.
 */
import {
  flag,
  inside,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  similar,
  text,
  walk,
  whole,
} from "./reading.ts";
import { join, type Mapping, type Node } from "./yaml/tree.ts";

export type Check = (reading: Reading, node: Node, at: Place) => void;

/** Whatever the other launcher takes there. */
export const anything: Check = () => undefined;

/** Text. */
export const words: Check = (reading, node, at) => void text(reading, node, at);

/** True or false. */
export const yesNo: Check = (reading, node, at) => void flag(reading, node, at);

/** A whole number. */
export function integer(least = -Infinity, most = Infinity): Check {
  return (reading, node, at) => bounded(reading, whole(reading, node, at), at, least, most);
}

/** A number. */
export function number(least = -Infinity): Check {
  return (reading, node, at) => {
    const value = node.kind === "scalar" && typeof node.value === "number" ? node.value : undefined;
    if (value === undefined) mistyped(reading, node, at, "a number");
    else bounded(reading, value, at, least, Infinity);
  };
}

function bounded(reading: Reading, value: number | undefined, at: Place, least: number, most: number): void {
  if (value === undefined) return;
  if (value < least) refuse(reading, at, `must be at least ${least}`);
  if (value > most) refuse(reading, at, `must be ${most} at most`);
}

/** One of these words, however its letters are written. */
export function oneOf(known: readonly string[]): Check {
  return (reading, node, at) => void word(reading, node, at, known);
}

/** The word as it stands in the list. */
export function word<W extends string>(reading: Reading, node: Node, at: Place, known: readonly W[]): W | undefined {
  const read = text(reading, node, at)?.trim();
  if (read === undefined) return undefined;
  const found = known.find(one => one.toLowerCase() === read.toLowerCase());
  return found ?? refuse(reading, at, `must be ${either(known)}, and is "${read}"`, similar(read, known));
}

const either = (known: readonly string[]): string =>
  known.length === 2 ? known.join(" or ") : `one of ${known.join(", ")}`;

/** A list of such items; one alone will do where `orOne`. */
export function listOf(check: Check, orOne = false): Check {
  return (reading, node, at) => {
    if (node.kind === "list") for (const [item, place] of itemsOf(node.items, at)) check(reading, item, place);
    else if (orOne) check(reading, node, at);
    else mistyped(reading, node, at, "a list");
  };
}

/** The items of a list, each with its place. */
export const itemsOf = (items: readonly Node[], at: Place): [Node, Place][] =>
  items.map((item, index) => [item, { path: `${at.path}.${index}`, line: item.line ?? at.line }]);

/** The values of a map, each with its key and place. */
export const entriesOf = (map: Mapping, at: Place): [string, Node, Place][] =>
  [...map.entries].map(([key, { value, line }]) => [key, value, { path: join(at.path, key), line: line ?? at.line }]);

/** A map of whatever keys to such values. */
export function mapOf(check: Check): Check {
  return (reading, node, at) => {
    const map = mapping(reading, node, at);
    if (map !== undefined) for (const [, value, place] of entriesOf(map, at)) check(reading, value, place);
  };
}

/** A map of these keys. */
export function shape(keys: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (reading, node, at) => {
    const map = mapping(reading, node, at);
    if (map === undefined) return;
    walk(inside(reading), map, at.path, keys, undefined);
    for (const key of required)
      if (!map.entries.has(key)) refuse(reading, { path: join(at.path, key), line: at.line }, "is missing");
  };
}

/** A map is checked by the one, anything else by the other. */
export const orMap =
  (plain: Check, map: Check): Check =>
  (reading, node, at) =>
    (node.kind === "map" ? map : plain)(reading, node, at);
