/** Many runs of one task: `runs`, `concurrent` and `sweep`. */
import { combinationsOf, type Parameter, type Sweep } from "@muster/core/task/sweep.ts";
import { entriesOf, itemsOf, word } from "./check.ts";
import { parameterOf, scalarOf, typeOf } from "./distribution.ts";
import type { Draft } from "./draft.ts";
import {
  claim,
  type Field,
  inside,
  type Keys,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  walk,
  whole,
} from "./reading.ts";
import type { Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

interface Parts {
  type?: Sweep["type"];
  seed?: number;
  params?: Record<string, Parameter>;
  maxRuns?: number;
}

/** Where core finds something wrong with all of it. */
function locate(reading: Reading, at: Place): void {
  if (!reading.origins.has("runs")) reading.origins.set("runs", at);
}

const counted =
  (field: "count" | "concurrent"): ReadField =>
  (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read === undefined || !claim(reading, `runs.${field}`, at)) return;
    locate(reading, at);
    out.task.runs = { ...out.task.runs, [field]: read };
  };

export const runs = counted("count");
export const concurrent = counted("concurrent");

const keys: Keys<Parts> = {
  type: (reading, value, at, out) => {
    const read = word(reading, value, at, ["grid", "random"] as const);
    if (read !== undefined) out.type = read;
  },
  seed: (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read === undefined || !claim(reading, "runs.sweep.seed", at)) return;
    out.seed = read;
  },
  max_runs: (reading, value, at, out) => {
    const read = whole(reading, value, at);
    if (read !== undefined && claim(reading, "runs.count", at)) out.maxRuns = read;
  },
  params: (reading, value, at, out) => {
    const map = mapping(reading, value, at);
    if (map === undefined) return;
    reading.origins.set("runs.sweep.params", at);
    const found = entriesOf(map, at).map(
      ([name, node, place]) => [name, parameter(reading, name, node, place)] as const,
    );
    out.params = Object.fromEntries(found.flatMap(([name, one]) => (one === undefined ? [] : [[name, one]])));
  },
};

/** A map of type, params, seed and max_runs. */
export const sweep: ReadField = (reading, value, at, out) => {
  const map = mapping(reading, value, at);
  if (map === undefined || !claim(reading, "runs.sweep", at)) return;
  locate(reading, at);
  const before = reading.issues.length;
  const parts: Parts = {};
  walk(inside(reading), map, at.path, keys, parts);
  const { params, maxRuns, seed = 0 } = parts;
  if (params === undefined && reading.issues.length === before)
    refuse(reading, at, "says no params: the names of variables, each with its values");
  // What could not be read would only be missed again.
  if (params === undefined || reading.issues.length > before) return;
  const read: Sweep = { type: parts.type ?? typeOf(params), params, seed };
  const count = maxRuns === undefined ? {} : { count: Math.min(maxRuns, combinationsOf(read) ?? maxRuns) };
  out.task.runs = { ...out.task.runs, ...count, sweep: read };
};

/** A list of values, one value, a call such as `uniform(0, 1)`, or a map of the same. */
function parameter(reading: Reading, name: string, node: Node, at: Place): Parameter | undefined {
  reading.origins.set(`runs.sweep.params.${name}`, at);
  if (node.kind === "list") return values(reading, node.items, at);
  if (node.kind === "map") return distribution(reading, node, at);
  if (typeof node.value !== "string") return values(reading, [node], at);
  if (!node.text.includes("(")) return { values: [node.value] };
  const read = parameterOf(node.text);
  return "problem" in read ? refuse(reading, at, read.problem) : read;
}

function values(reading: Reading, items: readonly Node[], at: Place): Parameter | undefined {
  const read = itemsOf(items, at).map(([item, place]) =>
    item.kind === "scalar" && item.value !== null
      ? item.value
      : mistyped(reading, item, place, "text, a number, true or false"),
  );
  return read.includes(undefined) ? undefined : { values: read.filter(value => value !== undefined) };
}

/** Names in a file to those of core. */
const kinds = {
  uniform: "uniform",
  log_uniform: "logUniform",
  normal: "normal",
  log_normal: "logNormal",
  integer: "integer",
} as const;
type Kind = keyof typeof kinds;
export const kindNames: readonly Kind[] = Object.keys(kinds) as Kind[];
export const coreName = (kind: Kind): (typeof kinds)[Kind] => kinds[kind];

function distribution(reading: Reading, node: Extract<Node, { kind: "map" }>, at: Place): Parameter | undefined {
  const found: { one?: Parameter | undefined } = {};
  const pair =
    (kind: Kind): Extract<Field<typeof found>, (...args: never[]) => void> =>
    (inner, value, place, out) => {
      const bounds = numbers(inner, value, place);
      if (bounds !== undefined) out.one = { [kinds[kind]]: bounds } as Parameter;
    };
  const list: Keys<typeof found> = {
    values: (inner, value, place, out) => {
      if (value.kind === "list") out.one = values(inner, value.items, place);
      else mistyped(inner, value, place, "a list");
    },
    ...Object.fromEntries(kindNames.map(kind => [kind, pair(kind)])),
  };
  if (node.entries.size !== 1) return refuse(reading, at, `must be one of values, ${kindNames.join(", ")}`);
  walk(inside(reading), node, at.path, list, found);
  return found.one;
}

/** A number, also with an exponent, which is text in YAML 1.1. */
function numeral(node: Node): number | undefined {
  const value = node.kind === "scalar" && typeof node.value === "string" ? scalarOf(node.text) : undefined;
  const found = node.kind === "scalar" && typeof node.value === "number" ? node.value : value;
  return typeof found === "number" ? found : undefined;
}

function numbers(reading: Reading, node: Node, at: Place): [number, number] | undefined {
  const items = node.kind === "list" ? node.items : [];
  const [low, high] = items.map(numeral);
  if (items.length === 2 && low !== undefined && high !== undefined) return [low, high];
  return mistyped(reading, node, at, "a list of two numbers");
}
