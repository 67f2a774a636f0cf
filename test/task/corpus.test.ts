/** Reads task files of our own writing, which together say everything that public ones were found to say. */
import { globSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { read } from "@muster/task/read.ts";
import { parse } from "@muster/task/yaml/parse.ts";
import type { Node } from "@muster/task/yaml/tree.ts";
import { describe, expect, test } from "vitest";
import * as KeyPaths from "./key-paths.ts";

const folder = fileURLToPath(new URL("corpus", import.meta.url));
const ours = ["skypilot", "oumi", "muster"] as const;
const files = ours.flatMap(dialect =>
  globSync(`${folder}/${dialect}/*.yaml`).map(path => ({ dialect, path, text: readFileSync(path, "utf8") })),
);

/** The nodes under a path such as `file_mounts.*.source.[]`. */
function at(node: Node, path: readonly string[]): Node[] {
  const [key, ...rest] = path;
  if (key === undefined) return [node];
  if (key === "[]") return node.kind === "list" ? node.items.flatMap(item => at(item, rest)) : [];
  if (node.kind !== "map") return [];
  const values = [...node.entries].filter(([name]) => key === "*" || name === key).map(([, { value }]) => value);
  return values.flatMap(value => at(value, rest));
}

function kindOf(node: Node): string {
  if (node.kind !== "scalar") return node.kind;
  if (node.value === null) return "null";
  if (typeof node.value === "number") return Number.isInteger(node.value) ? "int" : "float";
  return typeof node.value === "boolean" ? "bool" : "str";
}

/** `path: kind`, for each kind of value that a file of this dialect has there. */
function exercised(dialect: string, path: string): Set<string> {
  const roots = files.filter(file => file.dialect === dialect).flatMap(({ text }) => parse(text).documents);
  return new Set(roots.flatMap(({ root }) => at(root, path.split(".")).map(kindOf)));
}

test("there are files of each of the three", () => {
  for (const dialect of ours) expect(files.filter(file => file.dialect === dialect).length).toBeGreaterThan(3);
});

test.each(files.map(file => [`${basename(dirname(file.path))}/${basename(file.path)}`, file] as const))(
  "%s is read, as what it is",
  (_name, { dialect, text }) => {
    const { dialect: found, tasks } = read(text);
    expect(found).toBe(dialect);
    expect(tasks.length).toBeGreaterThan(0);
  },
);

describe.each([
  ["oumi", KeyPaths.oumi],
  ["skypilot", KeyPaths.skypilot],
] as const)("what %s's files were found to have", (dialect, paths) => {
  test.each(paths)("%s", line => {
    const [path = "", kinds = ""] = line.split(": ");
    const there = exercised(dialect, path);
    for (const kind of kinds.split(" ")) expect(there).toContain(kind);
  });
});
