/** When the cluster stops or ends, and what keeps it: Muster's `idle`. */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { itemsOf, word } from "./check.ts";
import { hoursOf, type Keep, zoneAmiss } from "./hours.ts";
import { duration, share } from "./quantity.ts";
import {
  claim,
  inside,
  type Keys,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  similar,
  text,
  walk,
} from "./reading.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

export const MINUTE = 60;
/** Seconds. */
const YEAR = 365 * 86_400;
/** The longest that a hook may take, in minutes. */
export const MOST_HOOK = 60;
/** Characters of a command, or of a hook. */
const MOST_SCRIPT = 4096;
const MOST_HOURS = 14;

export type Policy = Exclude<Idle, "never">;
type Hook = NonNullable<Policy["hook"]>;
const WAIT_FOR = ["jobs", "jobs_and_sessions", "none"] as const;

/** What its keys say, as far as they were read. */
type Parts = Partial<Omit<Policy, "then">> & { then?: Partial<Pick<Policy, "after" | "action">> };
type Clock = NonNullable<Parts["then"]>;

/** Minutes, from a number of them or a time. */
export const minutes = (reading: Reading, value: Node, at: Place, out: { after?: number }): void => {
  const seconds = duration(reading, value, at, MINUTE);
  if (seconds === undefined) return;
  if (seconds <= YEAR) out.after = seconds / MINUTE;
  else refuse(reading, at, "must be a year at most", "write 365d, or that it never stops");
};

const action = (reading: Reading, value: Node, at: Place, out: Clock): void => {
  const word = text(reading, value, at)?.toLowerCase();
  if (word === undefined) return;
  if (word === "stop" || word === "terminate") out.action = word;
  else refuse(reading, at, `must be stop or terminate, and is "${word}"`, similar(word, ["stop", "terminate"]));
};

/** What follows a stop, with a minute at least. */
const following: Keys<Clock> = {
  action,
  after: (reading, value, at, out) => {
    minutes(reading, value, at, out);
    if (out.after !== undefined && out.after < 1) refuse(reading, at, "must be a minute at least", "write such as 3d");
  },
};

const below =
  (field: "cpuBelow" | "gpuBelow") =>
  (reading: Reading, value: Node, at: Place, out: Parts): void => {
    const read = share(reading, value, at);
    if (read !== undefined) out[field] = read;
  };

const keys: Keys<Parts> = {
  action,
  after: minutes,
  then: (reading, value, at, out) => {
    const map = mapping(reading, value, at);
    if (map === undefined) return;
    out.then = {};
    walk(inside(reading), map, at.path, following, out.then);
  },
  wait_for: (reading, value, at, out) => {
    const read = word(reading, value, at, WAIT_FOR);
    if (read !== undefined) out.waitFor = read;
  },
  cpu_below: below("cpuBelow"),
  gpu_below: below("gpuBelow"),
  command: (reading, value, at, out) => {
    const read = script(reading, value, at);
    if (read !== undefined) out.command = read;
  },
  keep: (reading, value, at, out) => {
    const map = mapping(reading, value, at);
    const read = map && keepOf(reading, map, at);
    if (read !== undefined) out.keep = read;
  },
  hook: (reading, value, at, out) => {
    const read = value.kind === "map" ? hookOf(reading, value, at) : runOf(script(reading, value, at));
    if (read !== undefined) out.hook = read;
  },
};

/** A script that a policy holds. */
export function script(reading: Reading, value: Node, at: Place): string | undefined {
  if (value.kind === "list") return mistyped(reading, value, at, "text", "write `|`, and a line for each command");
  const read = text(reading, value, at);
  if (read === undefined) return undefined;
  if (read.trim() === "") return refuse(reading, at, "has nothing to run", "leave the key out");
  if (read.length <= MOST_SCRIPT) return read;
  return refuse(reading, at, `must be ${MOST_SCRIPT} characters at most`, "put it into a file, and run that");
}

const runOf = (run: string | undefined): Hook | undefined => (run === undefined ? undefined : { run });

const hookKeys: Keys<Partial<Hook>> = {
  run: (reading, value, at, out) => {
    const read = script(reading, value, at);
    if (read !== undefined) out.run = read;
  },
  timeout: (reading, value, at, out) => {
    const seconds = duration(reading, value, at, MINUTE);
    if (seconds === undefined) return;
    if (seconds > 0 && seconds <= MOST_HOOK * MINUTE) out.timeout = seconds / MINUTE;
    else refuse(reading, at, "must be more than 0, and an hour at most", "write such as 10m");
  },
};

function hookOf(reading: Reading, map: Mapping, at: Place): Hook | undefined {
  const parts: Partial<Hook> = {};
  const before = reading.issues.length;
  walk(inside(reading), map, at.path, hookKeys, parts);
  const { run, timeout } = parts;
  if (reading.issues.length > before) return undefined;
  if (run === undefined) return refuse(reading, at, "does not say what to run", "add `run`, or write it as text");
  return { run, ...(timeout !== undefined && { timeout }) };
}

const keepKeys: Keys<Partial<Keep>> = {
  zone: (reading, value, at, out) => {
    const zone = text(reading, value, at)?.trim();
    const amiss = zone === undefined ? undefined : zoneAmiss(zone);
    if (amiss !== undefined) refuse(reading, at, amiss.message, amiss.suggestion);
    else if (zone !== undefined) out.zone = zone;
  },
  hours: (reading, value, at, out) => {
    const items: [Node, Place][] = value.kind === "list" ? itemsOf(value.items, at) : [[value, at]];
    if (items.length === 0 || items.length > MOST_HOURS)
      refuse(reading, at, `must be 1 to ${MOST_HOURS} lines of hours, and are ${items.length}`);
    else out.hours = items.flatMap(([item, place]) => hours(reading, item, place) ?? []);
  },
};

function hours(reading: Reading, node: Node, at: Place): Keep["hours"][number] | undefined {
  const written = text(reading, node, at);
  const read = written === undefined ? undefined : hoursOf(written);
  return read && "message" in read ? refuse(reading, at, read.message, read.suggestion) : read;
}

function keepOf(reading: Reading, map: Mapping, at: Place): Keep | undefined {
  const parts: Partial<Keep> = {};
  const before = reading.issues.length;
  walk(inside(reading), map, at.path, keepKeys, parts);
  const { zone, hours } = parts;
  if (reading.issues.length > before) return undefined;
  if (hours === undefined)
    return refuse(reading, at, "does not say in which hours", 'add `hours: ["mon-fri 08:00-20:00"]`');
  if (zone === undefined)
    return refuse(reading, at, "does not say in which time zone", "add `zone: Europe/Berlin`, or UTC");
  return { zone, hours };
}

/** `idle: never`, `idle: 2h`, or a map of when it stops or ends, and of what keeps it. */
export function idle(reading: Reading, node: Node, at: Place): Idle | undefined {
  if (!claim(reading, "idle", at)) return undefined;
  if (node.kind === "map") return policy(reading, node, at);
  if (node.kind === "list") return mistyped(reading, node, at, "a time, a map, or never");
  if (node.value === false || node.text === "never") return "never";
  const parts: Parts = {};
  minutes(reading, node, at, parts);
  // What is no time was told.
  return parts.after === undefined ? undefined : finish(reading, parts, at);
}

function policy(reading: Reading, map: Mapping, at: Place): Idle | undefined {
  const parts: Parts = {};
  const before = reading.issues.length;
  walk(inside(reading), map, at.path, keys, parts);
  return reading.issues.length > before ? undefined : finish(reading, parts, at);
}

function finish(reading: Reading, { then, ...parts }: Parts, at: Place): Idle | undefined {
  const { after, action = "stop" } = parts;
  if (after === undefined) return refuse(reading, at, "does not say after how long", "add `after: 30m`");
  if (then === undefined) return { ...parts, after, action };
  if (action === "terminate") return refuse(reading, at, "has a `then`, though nothing can follow terminate");
  if (then.action === "stop") return refuse(reading, at, "stops twice: only terminate can follow a stop");
  if (then.after === undefined) return refuse(reading, at, "has a `then` that does not say after how long");
  return { ...parts, after, action, then: { after: then.after, action: "terminate" } };
}
