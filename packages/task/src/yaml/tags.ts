/** Tags: they make objects in other languages, and nothing here makes any. */
import type { Issue } from "../error.ts";
import { itemOf, join, type Node } from "./tree.ts";

const NONE: ReadonlySet<string> = new Set();

/** An issue for each node whose tag the reader does not know. */
export function strayTags(root: Node, known: ReadonlySet<string> = NONE): Issue[] {
  const issues: Issue[] = [];
  // A node that several aliases lead to is told once.
  const seen = new Set<Node>();
  const todo: [Node, string][] = [[root, ""]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [node, path] = next;
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.tag !== undefined && !known.has(node.tag)) issues.push(stray(node, path));
    todo.push(...inside(node, path));
  }
  return issues;
}

function inside(node: Node, path: string): [Node, string][] {
  if (node.kind === "list") return node.items.map((item, index) => [item, itemOf(path, index)]);
  return node.kind === "map" ? [...node.entries].map(([key, { value }]) => [value, join(path, key)]) : [];
}

/** The issue of one. */
export const stray = (node: Node, path: string): Issue => ({
  path,
  ...(node.line !== undefined && { line: node.line }),
  message: `tags such as ${node.tag} are not read`,
  suggestion: "leave the tag out",
});
