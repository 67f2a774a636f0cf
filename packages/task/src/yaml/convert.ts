/** A parsed YAML document as a tree of our own: lines kept, merges done, aliases shared. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type YAMLMap,
  type Node as YamlNode,
} from "yaml";
import type { Issue } from "../error.ts";
import { resolve } from "./scalar.ts";
import { stray } from "./tags.ts";
import { type Entry, itemOf, join, type Mapping, type Node, type Scalar } from "./tree.ts";

/** A key that a map has twice. */
export interface Duplicate {
  readonly path: string;
  readonly line: number;
  readonly first: number;
}

interface Tree {
  readonly root: Node | undefined;
  readonly duplicates: readonly Duplicate[];
  readonly issues: readonly Issue[];
}

interface Work {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** An anchored node is converted once, however many aliases lead to it. */
  readonly done: Map<YamlNode, Node>;
  /** Being converted just now; an alias to one of them would never end. */
  readonly open: Set<YamlNode>;
  readonly duplicates: Duplicate[];
  readonly issues: Issue[];
}

/** They say no more than what kind of node it is. */
const TAGS = new Set(["!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"]);
const EMPTY: Scalar = { kind: "scalar", value: null, text: "", plain: true };

/** The tree of one document; `root` is absent when there is nothing in it. */
export function treeOf(document: Document.Parsed, lines: LineCounter): Tree {
  const work: Work = { document, lines, done: new Map(), open: new Set(), duplicates: [], issues: [] };
  const root = document.contents === null ? EMPTY : convert(work, document.contents, "");
  const empty = root.kind === "scalar" && root.plain && root.text === "";
  return { root: empty ? undefined : root, duplicates: work.duplicates, issues: work.issues };
}

function convert(work: Work, node: YamlNode, path: string): Node {
  const known = work.done.get(node);
  if (known !== undefined) return known;
  if (work.open.has(node)) {
    work.issues.push({ path, line: lineOf(work, node), message: "contains itself, by an alias" });
    return EMPTY;
  }
  work.open.add(node);
  const made = make(work, node, path);
  work.open.delete(node);
  work.done.set(node, made);
  return made;
}

function make(work: Work, node: YamlNode, path: string): Node {
  if (isAlias(node)) {
    const target = node.resolve(work.document);
    return target === undefined ? EMPTY : convert(work, target, path);
  }
  const made = untagged(work, node, path);
  return node.tag === undefined || TAGS.has(node.tag) ? made : { ...made, tag: node.tag };
}

function untagged(work: Work, node: YamlNode, path: string): Node {
  const line = lineOf(work, node);
  if (isMap(node)) return mapping(work, node, path, line);
  if (isSeq(node)) {
    return {
      kind: "list",
      line,
      items: node.items.map((item, index) => convert(work, item as YamlNode, itemOf(path, index))),
    };
  }
  return isScalar(node) ? scalar(work, node, path, line) : EMPTY;
}

function scalar(work: Work, node: YamlNode & { source?: string; type?: string }, path: string, line: number): Scalar {
  const text = node.source ?? "";
  if (text.includes("\0"))
    work.issues.push({ path, line, message: "has a NUL character, which no script can be given" });
  const plain = node.type === "PLAIN" && node.tag === undefined;
  return { kind: "scalar", value: plain ? resolve(text) : text, text, plain, line };
}

function mapping(work: Work, node: YAMLMap, path: string, line: number): Mapping {
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const pair of node.items) {
    const keyNode = pair.key as YamlNode & { source?: string; type?: string };
    const key = keyNode.source ?? "";
    const keyLine = lineOf(work, keyNode);
    const value = pair.value === null ? EMPTY : convert(work, pair.value as YamlNode, join(path, key));
    if (key === "<<" && keyNode.type === "PLAIN") {
      merged.push(...(value.kind === "list" ? value.items : [value]));
      continue;
    }
    note(work, entries, key, join(path, key), keyLine);
    entries.set(key, { value, line: keyLine });
  }
  for (const from of merged) merge(work, entries, from, path, line);
  return { kind: "map", entries, line };
}

function note(work: Work, entries: Map<string, Entry>, key: string, path: string, line: number): void {
  if (key === "__proto__") work.issues.push({ path, line, message: "is not a name that may be used" });
  const first = entries.get(key)?.line;
  if (first !== undefined) work.duplicates.push({ path, line, first });
}

/** What the map itself says stands over what it merges in, and an earlier merge over a later one. */
function merge(work: Work, entries: Map<string, Entry>, from: Node, path: string, line: number): void {
  if (from.kind !== "map") {
    work.issues.push({ path: join(path, "<<"), line: from.line ?? line, message: "only a map can be merged in" });
    return;
  }
  // The map itself is gone once it is merged, and with it the chance to refuse its tag.
  if (from.tag !== undefined) work.issues.push(stray(from, join(path, "<<")));
  for (const [key, entry] of from.entries) if (!entries.has(key)) entries.set(key, entry);
}

const lineOf = (work: Work, node: YamlNode): number => Math.max(work.lines.linePos(node.range?.[0] ?? 0).line, 1);
