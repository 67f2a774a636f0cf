/** When the cluster stops or ends: Muster's `idle`, and SkyPilot's `resources.autostop`. */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { duration } from "./quantity.ts";
import {
  claim,
  flag,
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
  whole,
} from "./reading.ts";
import type { Mapping, Node } from "./yaml/tree.ts";

const MINUTE = 60;
/** SkyPilot's `autostop: true`. */
const AUTOSTOP_MINUTES = 5;
const NOT_YET = "Muster's idle policy looks at jobs only, so far";

interface Parts {
  after?: number;
  action?: "stop" | "terminate";
  then?: Parts;
}

const minutes = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  const seconds = duration(reading, value, at, MINUTE);
  if (seconds !== undefined) out.after = seconds / MINUTE;
};

const action = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  const word = text(reading, value, at)?.toLowerCase();
  if (word === undefined) return;
  if (word === "stop" || word === "terminate") out.action = word;
  else refuse(reading, at, `must be stop or terminate, and is "${word}"`, similar(word, ["stop", "terminate"]));
};

const after: Keys<Parts> = { after: minutes, action };

const keys: Keys<Parts> = {
  ...after,
  then: (reading, value, at, out) => {
    const map = mapping(reading, value, at);
    if (map === undefined) return;
    out.then = {};
    walk(inside(reading), map, at.path, after, out.then);
  },
  wait_for: { why: NOT_YET },
  cpu_below: { why: NOT_YET },
  gpu_below: { why: NOT_YET },
};

/** `idle: never`, `idle: 2h`, or a map of after, action and then. */
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

function finish(reading: Reading, parts: Parts, at: Place): Idle | undefined {
  if (parts.after === undefined) return refuse(reading, at, "does not say after how long", "add `after: 30m`");
  const action = parts.action ?? "stop";
  if (parts.then === undefined) return { after: parts.after, action };
  if (action === "terminate") return refuse(reading, at, "has a `then`, though nothing can follow terminate");
  if (parts.then.action === "stop") return refuse(reading, at, "stops twice: only terminate can follow a stop");
  if (parts.then.after === undefined) return refuse(reading, at, "has a `then` that does not say after how long");
  return { after: parts.after, action, then: { after: parts.then.after, action: "terminate" } };
}

interface Autostop {
  minutes?: number;
  down?: boolean;
}

const autostopKeys: Keys<Autostop> = {
  idle_minutes: (reading, value, at, out) => {
    const count = whole(reading, value, at);
    if (count === undefined) return;
    if (count < 0) refuse(reading, at, "must not be negative");
    else out.minutes = count;
  },
  down: (reading, value, at, out) => {
    const down = flag(reading, value, at);
    if (down !== undefined) out.down = down;
  },
  wait_for: (reading, value, at) => waitFor(reading, value, at),
  hook: { why: "Muster runs no hook before a cluster stops" },
  hook_timeout: { why: "Muster runs no hook before a cluster stops" },
};

function waitFor(reading: Reading, value: Node, at: Place): void {
  const word = text(reading, value, at)?.toLowerCase();
  const words = ["jobs", "jobs_and_ssh", "none"];
  if (word === undefined || word === "jobs") return;
  if (word === "jobs_and_ssh") reading.warnings.push(`${at.path}: open sessions do not keep a cluster from stopping`);
  else if (word === "none")
    reading.unsupported.push({ path: at.path, why: "Muster never stops a cluster under its jobs" });
  else refuse(reading, at, `must be one of ${words.join(", ")}, and is "${word}"`, similar(word, words));
}

/** `autostop: true`, `false`, `10` (minutes), `-1` (never; so does any number below zero), `10h`, or SkyPilot's map. */
export function autostop(reading: Reading, node: Node, at: Place): Idle | undefined {
  if (!claim(reading, "idle", at)) return undefined;
  if (node.kind === "map") return autostopMap(reading, node, at);
  if (node.kind === "list") return mistyped(reading, node, at, "true, false, minutes, a time or a map");
  if (node.value === true) return { after: AUTOSTOP_MINUTES, action: "stop" };
  // As in SkyPilot: whatever is below zero says that it never stops.
  if (node.value === false || (typeof node.value === "number" && node.value < 0)) return "never";
  const parts: Parts = {};
  minutes(reading, node, at, parts);
  return parts.after === undefined ? undefined : { after: parts.after, action: "stop" };
}

function autostopMap(reading: Reading, map: Mapping, at: Place): Idle {
  const parts: Autostop = {};
  walk(inside(reading), map, at.path, autostopKeys, parts);
  return { after: parts.minutes ?? AUTOSTOP_MINUTES, action: parts.down ? "terminate" : "stop" };
}
