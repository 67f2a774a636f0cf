/** Hosts of several kinds: the list `groups`, whose items have a name, a number of hosts, and resources of their own. */
import { type Draft, empty } from "./draft.ts";
import {
  claim,
  type Field,
  flag,
  type Keys,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  text,
  walk,
  whole,
} from "./reading.ts";
import * as Resources from "./resources.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

/** One group, read as a task of its own would be. */
interface Part extends Draft {
  schedulable: boolean;
}

const nodes = (reading: Reading, value: Node, at: Place, out: Part): void => {
  const read = whole(reading, value, at);
  if (read !== undefined && claim(reading, "nodes", at)) out.task.nodes = read;
};

const keys: Keys<Part> = {
  name: (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined && claim(reading, "name", at)) out.task.name = read;
  },
  num_nodes: nodes,
  nodes,
  resources: Resources.resources(Resources.ofGroup),
  schedulable: (reading, value, at, out) => {
    const read = flag(reading, value, at);
    if (read !== undefined && claim(reading, "schedulable", at)) out.schedulable = read;
  },
};

/** Where a key belongs that stands in a group, but not there. */
const HOMES = new Map([
  ...Object.keys(Resources.ofGroup).map((key): [string, string] => [key, `resources.${key}`]),
  ...Object.keys(keys).map((key): [string, string] => [key, key]),
]);

export const groups: Extract<Field<Draft>, (...args: never[]) => void> = (reading, value, at, out) => {
  if (value.kind !== "list") return mistyped(reading, value, at, "a list of groups");
  if (value.items.length === 0) return refuse(reading, at, "has no group in it");
  claim(reading, "groups", at);
  const maps = value.items.map((item, index) => {
    const place = { path: `${at.path}.${index}`, line: item.line ?? at.line };
    return [mapping(reading, item, place), place] as const;
  });
  const read = maps.flatMap(([map, place], index) => (map === undefined ? [] : [group(reading, map, place, index)]));
  out.groups = read;
};

/** Its fields are told apart from those of the others by its number. */
function group(reading: Reading, map: Mapping, at: Place, index: number) {
  const its: Reading = { ...reading, origins: new Map(), homes: HOMES };
  const part: Part = { ...empty("stop"), schedulable: true };
  walk(its, map, at.path, keys, part);
  reading.origins.set(`groups.${index}`, at);
  for (const [field, place] of its.origins)
    if (field !== "container") reading.origins.set(`groups.${index}.${field}`, place);
  const { name, nodes: hosts, resources, container } = part.task;
  if (container !== undefined)
    refuse(reading, its.origins.get("container") ?? at, "is said of the job", "write container beside groups");
  if (name === undefined && !map.entries.has("name")) refuse(reading, at, "has no name", "add `name: workers`");
  return { name: name ?? "", nodes: hosts, resources, schedulable: part.schedulable };
}
