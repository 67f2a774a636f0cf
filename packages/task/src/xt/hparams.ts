/**
 * XT's search spaces (`hp-config`): a file with the map `hparams`, of which each value is a list, one value, or a call that
 * begins with `$` (xtlib 0.0.177, hparams/hparam_search.py).
 */
import type { Parameter } from "@muster/core/task/sweep.ts";
import { EnvName } from "@muster/core/task/task.ts";
import { entriesOf, itemsOf } from "../check.ts";
import { parameterOf } from "../distribution.ts";
import { TaskFileError } from "../error.ts";
import { begin, mapping, mistyped, type Place, type Reading, refuse } from "../reading.ts";
import { parse } from "../yaml/parse.ts";
import { find, type Node } from "../yaml/tree.ts";

/**
 * A name that no variable can have gets underscores: `learning-rate` is read as `learning_rate`.
 * @throws TaskFileError that has everything that is wrong with it
 */
export function hparamsOf(source: string, path?: string): Record<string, Parameter> {
  const [document] = parse(source, path).documents;
  const reading = begin("xt", new Map());
  const found = document && find(document.root, ["hparams"]);
  const params = found ? paramsOf(reading, found) : {};
  if (found === undefined) refuse(reading, { path: "hparams" }, "is missing: names, each with what it may be");
  if (reading.issues.length > 0) throw new TaskFileError(reading.issues, path);
  return params;
}

function paramsOf(reading: Reading, node: Node): Record<string, Parameter> {
  const map = mapping(reading, node, { path: "hparams", line: node.line });
  if (map === undefined) return {};
  const read = entriesOf(map, { path: "hparams" }).map(
    ([key, value, at]) => [nameOf(reading, key, at), one(reading, value, at)] as const,
  );
  return Object.fromEntries(read.flatMap(([name, parameter]) => (parameter === undefined ? [] : [[name, parameter]])));
}

function nameOf(reading: Reading, key: string, at: Place): string {
  const name = key.replaceAll("-", "_");
  const issue = EnvName.safeParse(name).error?.issues[0];
  if (issue) refuse(reading, at, issue.message);
  return name;
}

function one(reading: Reading, node: Node, at: Place): Parameter | undefined {
  if (node.kind === "list") return values(reading, node.items, at);
  if (node.kind === "scalar" && node.text.startsWith("$")) {
    const read = parameterOf(node.text);
    return "problem" in read ? refuse(reading, at, read.problem) : read;
  }
  return values(reading, [node], at);
}

function values(reading: Reading, items: readonly Node[], at: Place): Parameter | undefined {
  const read = itemsOf(items, at).map(([item, place]) =>
    item.kind === "scalar" && item.value !== null
      ? item.value
      : mistyped(reading, item, place, "text, a number, true or false"),
  );
  return read.includes(undefined) ? undefined : { values: read.filter(value => value !== undefined) };
}
