/** Values of an XT config file held against their types. */
import { kindOf, mapping, mistyped, type Place, type Reading, refuse, similar } from "../reading.ts";
import { isNull, join, type Mapping, type Node } from "../yaml/tree.ts";
import type { Shape, Type } from "./schema.ts";

type Check = (reading: Reading, node: Node, at: Place) => void;

const isText = (node: Node): boolean => node.kind === "scalar" && typeof node.value === "string";

const text: Check = (reading, node, at) => {
  if (!isText(node)) mistyped(reading, node, at, "text", "put it in quotes");
};

const texts: Check = (reading, node, at) => {
  if (node.kind !== "list") mistyped(reading, node, at, "a list of texts");
  else
    for (const [index, item] of node.items.entries())
      text(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line });
};

const whole: Check = (reading, node, at) => {
  const fits = node.kind === "scalar" && typeof node.value === "number" && Number.isInteger(node.value);
  if (!fits) mistyped(reading, node, at, "a whole number");
};

const number: Check = (reading, node, at) => {
  if (node.kind !== "scalar" || typeof node.value !== "number") mistyped(reading, node, at, "a number");
};

const bool: Check = (reading, node, at) => {
  if (truth(node) === undefined) mistyped(reading, node, at, "true or false");
};

/** What it is may not be told in full: the number of kindOf would be the secret. */
const secret: Check = (reading, node, at) => {
  if (!isText(node)) refuse(reading, at, "must be text", "put it in quotes");
};

const checks: Readonly<Record<Exclude<Type, readonly string[]>, Check>> = {
  text,
  texts,
  whole,
  number,
  bool,
  secret,
  map: mapping,
};

/** True or false, in quotes or not. */
export function truth(node: Node | undefined): boolean | undefined {
  if (node?.kind !== "scalar") return undefined;
  if (typeof node.value === "boolean") return node.value;
  const index = ["false", "true"].indexOf(node.text.toLowerCase());
  return index < 0 ? undefined : index === 1;
}

/** Checks one value. Nothing at all stands for no text, no number and no list, and never for a choice. */
export function check(reading: Reading, node: Node, at: Place, type: Type): void {
  if (isNull(node) && type !== "bool" && typeof type === "string") return;
  if (typeof type === "string") checks[type](reading, node, at);
  else if (node.kind !== "scalar" || !type.includes(node.text))
    refuse(reading, at, `must be one of ${type.join(", ")}, and is ${said(node)}`, meant(node, type));
}

const said = (node: Node): string => (node.kind === "scalar" && isText(node) ? `"${node.text}"` : kindOf(node));
const meant = (node: Node, words: readonly string[]): string | undefined =>
  node.kind === "scalar" ? similar(node.text, words) : undefined;

/** Checks the properties of a map: their names, their types, and that those are there that must be. */
export function checkMap(reading: Reading, map: Mapping, at: Place, { keys, required = [] }: Shape): void {
  for (const [key, { value, line }] of map.entries) {
    const place = { path: join(at.path, key), line };
    const type = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (type === undefined) unknown(reading, key, { at, place }, keys);
    else check(reading, value, place, type);
  }
  for (const key of required)
    if (!map.entries.has(key)) refuse(reading, { path: join(at.path, key), line: at.line }, "is missing");
}

/** What a slip has made a key of may be a credential: of services, a key that is like none of XT's is not shown. */
function unknown(reading: Reading, key: string, where: { at: Place; place: Place }, keys: Shape["keys"]): void {
  const meant = similar(key, Object.keys(keys));
  if (meant !== undefined || !("type" in keys)) refuse(reading, where.place, "is not a property of XT", meant);
  else refuse(reading, { ...where.place, path: where.at.path }, "has a property here that XT does not have");
}
