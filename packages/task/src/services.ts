/** What runs beside a task's own script: servers on its first host, and a Ray cluster over all of its hosts. */
import { Service } from "@muster/core/task/service.ts";
import { itemsOf } from "./check.ts";
import type { Draft } from "./draft.ts";
import { messageOf } from "./hold.ts";
import {
  claim,
  type Field,
  flag,
  inside,
  type Keys,
  mistyped,
  type Place,
  type Reading,
  refuse,
  text,
  walk,
  whole,
} from "./reading.ts";
import { join, type Mapping, type Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;
type Parts = { -readonly [K in keyof Service]?: Service[K] };

const own: Keys<Parts> = {
  run: (reading, value, at, out) => checked(reading, "run", text(reading, value, at), at, out),
  port: (reading, value, at, out) => checked(reading, "port", whole(reading, value, at), at, out),
};
const withName: Keys<Parts> = {
  name: (reading, value, at, out) => checked(reading, "name", text(reading, value, at), at, out),
  ...own,
};

function checked<K extends keyof Service>(
  reading: Reading,
  field: K,
  read: unknown,
  at: Place,
  out: Pick<Parts, K>,
): void {
  if (read === undefined) return;
  const { data, error } = Service.shape[field].safeParse(read);
  const issue = error?.issues[0];
  if (issue !== undefined) refuse(reading, at, messageOf(issue));
  else out[field] = data as Service[K];
}

/** `services`: a list of name, run and port, or a map of run and port by their names. */
export const services: ReadField = (reading, value, at, out) => {
  if (value.kind === "scalar") return mistyped(reading, value, at, "a list of services, or a map of them by name");
  if (!claim(reading, "services", at)) return;
  const read = value.kind === "map" ? byName(reading, value, at) : listed(reading, value.items, at);
  const whole = read.filter(service => service !== undefined);
  // What is wrong with all of them was told.
  if (whole.length > 0 || read.length === 0) out.task.services = whole;
};

const byName = (reading: Reading, map: Mapping, at: Place): (Service | undefined)[] =>
  [...map.entries].map(([name, { value, line }]) => {
    const place = { path: join(at.path, name), line };
    const parts: Parts = {};
    checked(reading, "name", name, place, parts);
    return one(reading, value, place, own, parts);
  });

const listed = (reading: Reading, items: readonly Node[], at: Place): (Service | undefined)[] =>
  itemsOf(items, at).map(([item, place]) => one(reading, item, place, withName, {}));

function one(reading: Reading, node: Node, at: Place, keys: Keys<Parts>, parts: Parts): Service | undefined {
  if (node.kind !== "map") return mistyped(reading, node, at, "a map of run and port");
  walk(inside(reading), node, at.path, keys, parts);
  const missing = Object.keys(keys).find(key => !node.entries.has(key));
  if (missing !== undefined) refuse(reading, at, `has no ${missing}`, `add \`${missing}:\``);
  const { name, run, port } = parts;
  return name === undefined || run === undefined || port === undefined ? undefined : { name, run, port };
}

/** `ray`: true or false. */
export const ray: ReadField = (reading, value, at, out) => {
  const read = flag(reading, value, at);
  if (read !== undefined && claim(reading, "ray", at) && read) out.task.ray = true;
};
