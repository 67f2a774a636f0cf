/**
 * Dotted overrides, such as `resources.cloud=local`: put over the parsed file before anything is checked, so that
 * what they say is checked like the file itself.
 *
 * An override stands over every way in which the file says the same: `resources.cloud` over `resources.infra`.
 */
import { type Issue, TaskFileError } from "./error.ts";
import { split } from "./infra.ts";
import { parse } from "./yaml/parse.ts";
import { resolve } from "./yaml/scalar.ts";
import { type Entry, find, isNull, type Mapping, type Node } from "./yaml/tree.ts";

type Path = readonly string[];

const PATH = /^(?:[^.[\]]+|\[[^\]]+\])(?:\.[^.[\]]+|\[[^\]]+\])*$/;
const SEGMENT = /\[([^\]]+)\]|[^.[\]]+/g;
const RESERVED = new Set(["__proto__", "constructor", "prototype"]);
const SCRIPTS = new Set(["setup", "run"]);
/** Their keys are the user's own: taking out one that is not there is no mistake in a key. */
const FREE = new Set(["envs", "env", "secrets", "file_mounts", "labels"]);
const ALTERNATIVES = ["any_of", "ordered"];
const MOST_SEGMENTS = 16;

/** Two keys that say the same; an override goes to the one that the file has. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ["num_nodes", "nodes"],
  ["envs", "env"],
  ["resources.provider", "resources.cloud"],
  ["resources.accelerators", "resources.gpus"],
  ["resources.use_spot", "resources.spot"],
  ["resources.image_id", "resources.image"],
  ["resources.max_hourly_cost", "resources.max_hourly"],
];

/** Keys that an override of another key makes void. */
const VOIDS: Readonly<Record<string, readonly string[]>> = {
  "resources.infra": ["resources.cloud", "resources.provider", "resources.region", "resources.zone"],
  idle: ["resources.autostop"],
  "resources.autostop": ["idle"],
};

/** Parts of `resources.infra` that stay when one of these is overridden. */
const INFRA_KEPT: Readonly<Record<string, readonly string[]>> = {
  "resources.provider": [],
  "resources.cloud": [],
  "resources.region": ["cloud"],
  "resources.zone": ["cloud", "region"],
};

/** Arguments that a command left over (`--a.b c`, `--a.b=c`) as overrides. */
export function parseOverrides(argv: readonly string[]): string[] {
  const overrides: string[] = [];
  const issues: Issue[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? "";
    const value = argv[index + 1];
    if (!/^--[^-=]/.test(argument)) {
      issues.push({
        path: argument,
        message: "is not expected here",
        suggestion: "an override looks like --resources.cloud local",
      });
    } else if (argument.includes("=")) {
      overrides.push(argument.slice(2));
    } else if (value === undefined || value.startsWith("--")) {
      issues.push({ path: argument, message: "has no value", suggestion: `write ${argument}=value` });
    } else {
      overrides.push(`${argument.slice(2)}=${value}`);
      index++;
    }
  }
  if (issues.length > 0) throw new TaskFileError(issues, "the command line");
  return overrides;
}

/** The tree with the overrides put over it; what cannot be put goes to `issues`. */
export function override(root: Node, overrides: readonly string[], strict: boolean, issues: Issue[]): Node {
  return overrides.reduce((tree, text) => {
    const made = one(tree, text, strict);
    if ("kind" in made) return made;
    issues.push(made);
    return tree;
  }, root);
}

function one(root: Node, override: string, strict: boolean): Node | Issue {
  const at = override.indexOf("=");
  const key = override.slice(0, Math.max(at, 0)).trim();
  if (at < 0 || !PATH.test(key))
    return { path: override, message: "is not an override", suggestion: "write key.key=value" };
  const path = [...key.matchAll(SEGMENT)].map(match => match[1] ?? match[0]);
  if (path.some(segment => RESERVED.has(segment))) return { path: key, message: "is not a name that may be used" };
  if (path.length > MOST_SEGMENTS) return { path: key, message: "goes too deep" };
  const value = valueNode(path, override.slice(at + 1));
  if (value.kind === "scalar" && value.text.includes("\0")) return { path: key, message: "has a NUL character" };
  // As everything else of the file is told, however it was typed.
  const shown = key.replaceAll(/\[(\d+)\]/g, ".$1");
  const item = groupOf(root, path);
  if (item === undefined) return put(voided(root, path), strict ? path : spelled(root, path), value, shown);
  const within = path.slice(2);
  const made = put(voided(item, within), spelled(item, within), value, shown);
  return "kind" in made ? put(root, path.slice(0, 2), made, shown) : made;
}

/** The group that the path leads into: its keys have the spellings that those of a task have. */
function groupOf(root: Node, [list, index, ...rest]: Path): Node | undefined {
  const groups = list === "groups" && rest.length > 0 ? find(root, ["groups"]) : undefined;
  return groups?.kind === "list" ? groups.items[placeIn(groups.items, index ?? "")] : undefined;
}

/** As YAML: a scalar, a list or map in brackets, or quoted text; a script is text, whatever it looks like. */
function valueNode(path: Path, text: string): Node {
  const scalar: Node = { kind: "scalar", value: resolve(text.trim()), text, plain: true, loose: true };
  if (SCRIPTS.has(path[0] ?? "")) return isNull(scalar) ? scalar : { ...scalar, value: text };
  if (!/^\s*[[{"']/.test(text))
    return { ...scalar, text: text.trim(), ...(typeof scalar.value === "string" && { value: text.trim() }) };
  try {
    const [value, ...more] = parse(text).documents;
    return value === undefined || more.length > 0 ? scalar : unplaced(value.root);
  } catch (error) {
    if (error instanceof TaskFileError) return { ...scalar, value: text };
    throw error;
  }
}

/** Without lines: those are not lines of the file. */
function unplaced(node: Node): Node {
  if (node.kind === "scalar") return { ...node, line: undefined };
  if (node.kind === "list") return { kind: "list", items: node.items.map(unplaced) };
  const entries = [...node.entries].map(([key, entry]): [string, Entry] => [key, { value: unplaced(entry.value) }]);
  return { kind: "map", entries: new Map(entries) };
}

const covers = (key: string, path: Path): boolean => key.split(".").every((segment, index) => path[index] === segment);

/** The path in the spelling that the file has. */
function spelled(root: Node, path: Path): Path {
  for (const [a, b] of SPELLINGS) {
    const used = covers(a, path) ? a : b;
    const other = used === a ? b : a;
    if (!covers(used, path) || find(root, used.split(".")) !== undefined) continue;
    if (find(root, other.split(".")) !== undefined)
      return [...other.split("."), ...path.slice(other.split(".").length)];
  }
  return path;
}

/** The tree without what the override makes void, in alternatives as in what is said for all of them. */
function voided(root: Node, path: Path): Node {
  const [top, key] = path;
  if (top !== "resources" || key === undefined || ALTERNATIVES.includes(key)) return cleared(root, path);
  const keys: readonly string[] = SPELLINGS.find(pair => pair.includes(`resources.${key}`)) ?? [`resources.${key}`];
  const strip = (item: Node): Node => {
    const alone: Node = { kind: "map", entries: new Map([["resources", { value: item }]]) };
    const clear = keys.reduce<Node>((tree, one) => without(tree, one.split(".")), cleared(alone, path));
    return find(clear, ["resources"]) ?? item;
  };
  return ALTERNATIVES.reduce(
    (tree, list) => {
      const found = find(tree, ["resources", list]);
      if (found?.kind !== "list") return tree;
      const items = { ...found, items: found.items.map(strip) };
      return edited(tree, ["resources"], entries => entries.set(list, { ...entries.get(list), value: items }));
    },
    cleared(root, path),
  );
}

/** The tree without what the override makes void. */
function cleared(root: Node, path: Path): Node {
  const voided = Object.entries(VOIDS).flatMap(([key, others]) => (covers(key, path) ? others : []));
  const clear = voided.reduce((tree, key) => without(tree, key.split(".")), root);
  const kept = INFRA_KEPT[path.join(".")];
  const infra = find(clear, ["resources", "infra"]);
  return kept === undefined || infra?.kind !== "scalar" ? clear : spread(clear, split(infra.text), kept);
}

function spread(root: Node, parts: readonly string[], kept: readonly string[]): Node {
  return kept.reduce(
    (tree, key, index) => {
      const text = parts[index];
      if (text === undefined || text === "*") return tree;
      return edited(tree, ["resources"], entries =>
        entries.set(key, { value: { kind: "scalar", value: text, text, plain: true } }),
      );
    },
    without(root, ["resources", "infra"]),
  );
}

function without(root: Node, path: Path): Node {
  return edited(root, path.slice(0, -1), entries => entries.delete(path.at(-1) ?? ""));
}

/** A copy in which the map under `path`, if there is one, is changed. */
function edited(node: Node, path: Path, change: (entries: Map<string, Entry>) => unknown): Node {
  if (node.kind !== "map") return node;
  const entries = new Map(node.entries);
  const [key, ...rest] = path;
  const entry = key === undefined ? undefined : entries.get(key);
  if (key === undefined) change(entries);
  else if (entry !== undefined) entries.set(key, { ...entry, value: edited(entry.value, rest, change) });
  return { ...node, entries };
}

/** A copy with the value at the path. Null takes out what is there. */
function put(node: Node | undefined, path: Path, value: Node, whole: string): Node | Issue {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (node?.kind === "list") return putItem(node.items, key, rest, value, whole);
  if (node !== undefined && node.kind !== "map" && !isNull(node)) {
    return { path: whole, message: `has nothing called '${key}' in it: there is text, and no map` };
  }
  const map: Mapping = node?.kind === "map" ? node : { kind: "map", entries: new Map() };
  const entry = map.entries.get(key);
  const entries = new Map(map.entries);
  if (rest.length === 0 && isNull(value) && (entry !== undefined || FREE.has(whole.split(".")[0] ?? ""))) {
    entries.delete(key);
    return { ...map, entries };
  }
  const made = put(entry?.value, rest, value, whole);
  if (!("kind" in made)) return made;
  entries.set(key, { value: made, line: rest.length === 0 ? undefined : entry?.line });
  return { ...map, entries };
}

/** An item is meant by its number, or by its name where it has one; -1 when there is none. */
function placeIn(items: readonly Node[], key: string): number {
  if (/^\d+$/.test(key)) return Number(key);
  return items.findIndex(item => {
    const name = find(item, ["name"]);
    return name?.kind === "scalar" && name.text === key;
  });
}

function putItem(items: readonly Node[], key: string, rest: Path, value: Node, whole: string): Node | Issue {
  const index = placeIn(items, key);
  const item = items[index];
  if (item === undefined) {
    return { path: whole, message: `has no item ${key}: there are ${items.length}, counted from 0` };
  }
  const made = put(item, rest, value, whole);
  if (!("kind" in made)) return made;
  return { kind: "list", items: isNull(made) ? items.toSpliced(index, 1) : items.with(index, made) };
}
