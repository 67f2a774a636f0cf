/**
 * Accelerators: "A100", "A100:4", a map of name to count (or `{L4:1, T4:1}`), or a list of such texts and maps, which is an
 * order of preference.
 */
import { isAccelerator, isTpu, names } from "@muster/core/accelerator/names.ts";
import { distance } from "@muster/core/near.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import { entriesOf, itemsOf } from "./check.ts";
import { claim, defer, mistyped, type Place, type Reading, refuse } from "./reading.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

interface Wish {
  readonly name: string;
  readonly count: number;
  readonly at: Place;
}

/** Any of them will do for each host; or one alternative for each. */
export type Accelerators =
  | { readonly any: Record<string, number> }
  | { readonly list: "anyOf" | "ordered"; readonly choices: Choice[] };

const NAME = /^(?=.*[a-z])[a-z0-9][a-z0-9._-]*$/i;
/** More than anybody offers. */
const MOST = 200;
const WANTED = "such as A100 or A100:4";

/** What a file says of accelerators; undefined when that is wrong. */
export function accelerators(reading: Reading, node: Node, at: Place): Accelerators | undefined {
  if (!claim(reading, "resources.accelerators", at)) return undefined;
  const before = reading.issues.length;
  const wishes = unique(wishesOf(reading, node, at).slice(0, MOST));
  if (wishes.length === 0 && reading.issues.length === before) return refuse(reading, at, "names no accelerator");
  for (const { name, at: place } of wishes) guess(reading, name, place);
  const isRanked = node.kind === "list" && wishes.length > 1;
  // One name with two counts is no map of names to counts any more.
  if (!isRanked && new Set(wishes.map(({ name }) => name)).size === wishes.length) return { any: toMap(wishes) };
  return { list: isRanked ? "ordered" : "anyOf", choices: wishes.map(wish => ({ accelerators: toMap([wish]) })) };
}

const toMap = (wishes: readonly Wish[]): Record<string, number> =>
  Object.fromEntries(wishes.map(({ name, count }) => [name, count]));

const unique = (wishes: readonly Wish[]): Wish[] =>
  wishes.filter(
    (wish, index) => wishes.findIndex(other => other.name === wish.name && other.count === wish.count) === index,
  );

function wishesOf(reading: Reading, node: Node, at: Place): Wish[] {
  if (node.kind === "scalar") return some(one(reading, node, at));
  if (reading.dialect === "oumi") return some(mistyped(reading, node, at, `text ${WANTED}`));
  if (node.kind === "list") return itemsOf(node.items, at).flatMap(([item, place]) => ofItem(reading, item, place));
  return pairs(reading, node, at);
}

const ofItem = (reading: Reading, item: Node, at: Place): Wish[] =>
  item.kind === "map" ? pairs(reading, item, at) : some(one(reading, item, at));

function pairs(reading: Reading, map: Mapping, at: Place): Wish[] {
  return entriesOf(map, at).flatMap(([key, value, place]) => some(pair(reading, key, value, place)));
}

const some = (wish: Wish | undefined): Wish[] => (wish === undefined ? [] : [wish]);

function one(reading: Reading, node: Node, at: Place): Wish | undefined {
  if (node.kind !== "scalar" || typeof node.value === "boolean" || node.value === null) {
    return mistyped(reading, node, at, `text ${WANTED}`);
  }
  return wish(reading, node.text, at);
}

function pair(reading: Reading, key: string, value: Node, at: Place): Wish | undefined {
  if (value.kind === "scalar" && value.value === null) return wish(reading, key, at);
  if (value.kind !== "scalar" || typeof value.value !== "number") return mistyped(reading, value, at, "a count");
  if (key.includes(":")) return refuse(reading, at, "has a count in its name already");
  return wish(reading, `${key}:${value.value}`, at);
}

function wish(reading: Reading, text: string, at: Place): Wish | undefined {
  const [name = "", amount = "1", ...more] = text.split(":").map(part => part.trim());
  const count = /^(\d+(\.\d*)?|\.\d+)$/.test(amount) ? Number(amount) : Number.NaN;
  const turned = /^(\d+) ?x ?(.+)$/i.exec(name);
  if (turned !== null && isAccelerator(turned[2] ?? ""))
    return refuse(reading, at, `"${text}" is not an accelerator`, `write ${turned[2]}:${turned[1]}`);
  if (!NAME.test(name) || Number.isNaN(count) || more.length > 0) {
    return refuse(reading, at, `"${text}" is not an accelerator; write it ${WANTED}`);
  }
  if (/^tpu-/i.test(name)) defer(reading, at, "TPUs, which are Google's");
  return count > 0
    ? { name, count, at }
    : refuse(reading, at, `asks for ${amount} of ${name}; the least is more than 0`);
}

/** More letters than one are another card: `RTXPRO4500` is no slip. */
const SLIP = 1;

const isSlip = (known: string, name: string): boolean =>
  Math.abs(known.length - name.length) <= SLIP && distance(known, name) <= SLIP;

/** A provider of this control plane may have accelerators that nobody else has: a slip is told, and not refused. */
function guess(reading: Reading, name: string, at: Place): void {
  const isKnown = isAccelerator(name) || isTpu(name);
  const meant = isKnown ? undefined : names.find(one => isSlip(one.toLowerCase(), name.toLowerCase()));
  const line = at.line === undefined ? "" : ` (line ${at.line})`;
  if (meant !== undefined)
    reading.warnings.push(`${at.path}${line}: no accelerator called ${name} is known; did you mean ${meant}?`);
}
