/** Accelerators: "A100", "A100:4", a map of name to count (or `{L4:1, T4:1}`), or a list of such texts. */
import { claim, defer, mistyped, type Place, type Reading, refuse } from "./reading.ts";
import { join, type Node } from "./yaml/tree.ts";

interface Wish {
  readonly name: string;
  readonly count: number;
  readonly at: Place;
}

const NAME = /^(?=.*[a-z])[a-z0-9][a-z0-9._-]*$/i;
const WANTED = "such as A100 or A100:4";

/** Any of the accelerators that come back will do, in their order. */
export function accelerators(reading: Reading, node: Node, at: Place): Record<string, number> | undefined {
  if (!claim(reading, "resources.accelerators", at)) return undefined;
  const before = reading.issues.length;
  const wishes = wishesOf(reading, node, at);
  if (wishes.length === 0 && reading.issues.length === before) return refuse(reading, at, "names no accelerator");
  const found = new Map<string, number>();
  for (const wish of wishes) {
    const other = found.get(wish.name);
    if (other !== undefined && other !== wish.count) defer(reading, wish.at, `a choice of two counts of ${wish.name}`);
    if (other === undefined) found.set(wish.name, wish.count);
  }
  return Object.fromEntries(found);
}

function wishesOf(reading: Reading, node: Node, at: Place): Wish[] {
  if (node.kind === "scalar") return some(one(reading, node, at));
  if (reading.dialect === "oumi") return some(mistyped(reading, node, at, `text ${WANTED}`));
  if (node.kind === "list") {
    return node.items.flatMap((item, index) =>
      some(one(reading, item, { path: `${at.path}[${index}]`, line: item.line ?? at.line })),
    );
  }
  return [...node.entries].flatMap(([key, entry]) =>
    some(pair(reading, key, entry.value, { path: join(at.path, key), line: entry.line ?? at.line })),
  );
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
  if (!NAME.test(name) || Number.isNaN(count) || more.length > 0) {
    return refuse(reading, at, `"${text}" is not an accelerator; write it ${WANTED}`);
  }
  return count > 0
    ? { name, count, at }
    : refuse(reading, at, `asks for ${amount} of ${name}; the least is more than 0`);
}
