/** Words of the user's own on a job, to find it by. */
import type { Draft } from "./draft.ts";
import { claim, type Field, mapping, mistyped } from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** `labels: { team: vision, stage: }`: a label may stand without a value. */
export const labels: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map === undefined) return;
  const read = [...map.entries].flatMap(([key, { value: node, line }]): [string, string][] => {
    const place = { path: `${at.path}.${key}`, line };
    if (!claim(reading, `labels.${key}`, place)) return [];
    if (node.kind === "scalar") return [[key, written(node)]];
    mistyped(reading, node, place, "text");
    return [];
  });
  if (read.length > 0) out.task.labels = Object.fromEntries(read);
};

/** What is no text stands as it was written: `1.10` is not `1.1`. */
function written({ value, text }: Extract<Node, { kind: "scalar" }>): string {
  if (value === null) return "";
  return typeof value === "string" ? value : text.trim();
}
