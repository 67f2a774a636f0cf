/** Ports to open: 8080, "8080", "8000-8010", or a list of those. */
import { mistyped, type Place, type Reading, refuse } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

const PORT = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/;

export function ports(reading: Reading, node: Node, at: Place): string[] {
  if (node.kind !== "list") return port(reading, node, at);
  return node.items.flatMap((item, index) =>
    port(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line }),
  );
}

function port(reading: Reading, node: Node, at: Place): string[] {
  const wanted = 'a port or a range, such as 8080 or "8000-8010"';
  if (node.kind !== "scalar" || typeof node.value === "boolean" || node.value === null) {
    mistyped(reading, node, at, wanted);
    return [];
  }
  const match = PORT.exec(node.text.trim());
  const low = Number(match?.[1]);
  const high = Number(match?.[2] ?? match?.[1]);
  if (low >= 1 && low <= high && high <= 65_535) return [low === high ? `${low}` : `${low}-${high}`];
  refuse(reading, at, `must be ${wanted}, from 1 to 65535, and is "${node.text}"`);
  return [];
}
