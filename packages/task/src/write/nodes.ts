/**
 * Values as nodes of a YAML document that every loader reads alike.
 *
 * The document's schema quotes what YAML 1.1 would take for something else than text: `yes`, `010`, `1:30`, `2024-01-01`.
 * What it does not know of is quoted here.
 */
import { Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

/** What the writer makes nodes of. Undefined is left out; a Map keeps its order, also of keys that are numbers. */
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [key: string]: Value };

/** Characters that a YAML file cannot hold as they are, or that some loader takes for the end of a line. */
const ODD = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF\uFFFE\uFFFF]/u;
const ODDS = /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]|\p{Cs}/gu;
/** PyYAML: the default value of a map, and what is merged into one. */
const SIGNS = new Set(["=", "<<"]);

/** A value as a node. */
export function node(value: Value): Scalar | YAMLMap | YAMLSeq {
  if (typeof value === "string") return text(value);
  if (value === null || typeof value !== "object") return new Scalar(value);
  if (Array.isArray(value)) return list(value);
  const map = new YAMLMap();
  for (const [key, item] of value instanceof Map ? value : Object.entries(value))
    if (item !== undefined) map.items.push(new Pair(text(key), node(item)));
  return map;
}

function list(items: readonly Value[]): YAMLSeq {
  const made = new YAMLSeq();
  made.items.push(...items.map(node));
  return made;
}

/** Scripts are blocks, and what might be misread is quoted. */
function text(value: string): Scalar {
  const made = new Scalar(value);
  const isBlock = /\n/.test(value) && /\S/.test(value) && !ODD.test(value.replaceAll(/[\n\t]/g, ""));
  if (isBlock) made.type = "BLOCK_LITERAL";
  else if (isOdd(value)) made.type = "QUOTE_DOUBLE";
  return made;
}

/** A tab in text without quotes is an error to PyYAML. */
const isOdd = (value: string): boolean => ODD.test(value) || SIGNS.has(value);

/** The file's text with such characters as their escapes: they stand in double quotes only. */
export const escaped = (file: string): string =>
  file.replaceAll(ODDS, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
