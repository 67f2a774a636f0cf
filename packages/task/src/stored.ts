/** Secrets of the workspace, named in a task file: `secrets: [HF_TOKEN]`, or `HF_TOKEN: secrets:HF_TOKEN` in its map. */
import { entriesOf, itemsOf, shape, words } from "./check.ts";
import type { Draft } from "./draft.ts";
import { claim, defer, mistyped, type Place, type Reading, refuse } from "./reading.ts";
import type { Given } from "./result.ts";
import { isNull, type Mapping, type Node, type Scalar } from "./yaml/tree.ts";

const PREFIX = "secrets:";

/** Whether a value names a stored secret. */
export const isReference = (node: Node): node is Scalar => node.kind === "scalar" && node.text.startsWith(PREFIX);

const bare = (text: string): string => (text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text);

/** The names in one item of such a list. */
export function nameOf(item: Node): string[] {
  if (item.kind === "map") return [...item.entries.keys()].map(bare);
  return item.kind === "scalar" ? [bare(item.text)] : [];
}

/** Reads the list: each item is a name, or a map of one name to what is said of it. */
export function list(reading: Reading, items: readonly Node[], at: Place, given: Given, out: Draft): undefined {
  for (const [item, place] of itemsOf(items, at)) {
    const name = named(reading, item, place);
    if (name !== undefined) add(reading, name, place, given, out);
  }
}

function named(reading: Reading, item: Node, at: Place): string | undefined {
  if (item.kind === "map") return detailed(reading, item, at);
  const isText = item.kind === "scalar" && typeof item.value === "string" && item.text !== "";
  return isText ? bare(item.text.trim()) : mistyped(reading, item, at, "the name of a secret");
}

const details = shape({ mount_path: words });

function detailed(reading: Reading, item: Mapping, at: Place): string | undefined {
  const [first, ...more] = entriesOf(item, at);
  if (first === undefined || more.length > 0) return refuse(reading, at, "must be a map of one secret's name");
  const [key, value, place] = first;
  if (isNull(value)) return bare(key);
  if (isReference(value)) return reference(reading, bare(key), value.text, place) ? bare(key) : undefined;
  details(reading, value, place);
  if (value.kind === "map" && value.entries.size > 0)
    defer(reading, place, "a stored secret as a file: read the variable in run, and write the file there");
  return bare(key);
}

/** Takes a name for an environment variable or a secret: it is one of them, once. */
export function take(reading: Reading, kind: "envs" | "secrets", name: string, at: Place): boolean {
  if (!claim(reading, `variable.${name}`, at)) return false;
  return claim(reading, `${kind}.${name}`, at);
}

function add(reading: Reading, name: string, at: Place, given: Given, out: Draft): void {
  if (!take(reading, "secrets", name, at)) return;
  if (Object.hasOwn(given, name)) out.task.secrets[name] = given[name] ?? "";
  else keep(reading, name, at, out);
}

function keep(reading: Reading, name: string, at: Place, out: Draft): void {
  reading.origins.set(`storedSecrets.${out.task.storedSecrets.length}`, at);
  out.task.storedSecrets.push(name);
}

/** A variable whose value is the secret of that name. @returns whether it can be had. */
export function reference(reading: Reading, name: string, text: string, at: Place, out?: Draft): boolean {
  const stored = bare(text.trim());
  if (stored !== name) {
    defer(reading, at, `a stored secret under another name: call the variable ${stored}, as the secret is called`);
    return false;
  }
  if (out !== undefined) keep(reading, name, at, out);
  return true;
}
