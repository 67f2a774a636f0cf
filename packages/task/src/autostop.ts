/**
 * SkyPilot's `resources.autostop`. What it leaves out is as in SkyPilot: five minutes, jobs and open SSH sessions keep the
 * cluster, and a hook may take an hour
 * (docs.skypilot.co, reference/auto-stop.html and reference/yaml-spec.html).
 */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { MINUTE, MOST_HOOK, minutes, type Policy, script } from "./idle.ts";
import {
  claim,
  flag,
  inside,
  type Keys,
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

/** SkyPilot's `autostop: true`. */
const AUTOSTOP_MINUTES = 5;
/** Seconds. */
const HOOK_TIMEOUT = 3600;

type WaitFor = Policy["waitFor"];

interface Autostop {
  minutes?: number;
  down?: boolean;
  waitFor?: WaitFor;
  hook?: string;
  /** Seconds. */
  hookTimeout?: number;
}

/** Its words. Jobs alone is what Muster's policies wait for without being told. */
const WORDS: ReadonlyMap<string, WaitFor> = new Map([
  ["jobs", undefined],
  ["jobs_and_ssh", "jobs_and_sessions"],
  ["none", "none"],
]);

const keys: Keys<Autostop> = {
  idle_minutes: (reading, value, at, out) => {
    const count = whole(reading, value, at);
    if (count === undefined) return;
    if (count < 0) refuse(reading, at, "must not be negative", "write `autostop: false` for never");
    else out.minutes = count;
  },
  down: (reading, value, at, out) => {
    const down = flag(reading, value, at);
    if (down !== undefined) out.down = down;
  },
  wait_for: (reading, value, at, out) => {
    const word = text(reading, value, at)?.toLowerCase();
    if (word === undefined) return;
    const words = [...WORDS.keys()];
    if (WORDS.has(word)) out.waitFor = WORDS.get(word);
    else refuse(reading, at, `must be one of ${words.join(", ")}, and is "${word}"`, similar(word, words));
  },
  hook: (reading, value, at, out) => {
    const read = script(reading, value, at);
    if (read !== undefined) out.hook = read;
  },
  hook_timeout: (reading, value, at, out) => {
    const seconds = whole(reading, value, at);
    if (seconds === undefined) return;
    if (seconds < 1) refuse(reading, at, "must be seconds, at least 1");
    else out.hookTimeout = bounded(reading, seconds, at);
  },
};

/** Muster waits an hour for a hook, and no longer. */
function bounded(reading: Reading, seconds: number, at: Place): number {
  const most = MOST_HOOK * MINUTE;
  if (seconds > most) reading.warnings.push(`${at.path}: a hook has an hour at most, so ${most} seconds count here`);
  return Math.min(seconds, most);
}

/** `autostop: true`, `false`, `10` (minutes), `-1` (never; so does any number below zero), `10h`, or SkyPilot's map. */
export function autostop(reading: Reading, node: Node, at: Place): Idle | undefined {
  if (!claim(reading, "idle", at)) return undefined;
  if (node.kind === "map") return fromMap(reading, node, at);
  if (node.kind === "list") return mistyped(reading, node, at, "true, false, minutes, a time or a map");
  if (node.value === true) return policy({});
  // As in SkyPilot: whatever is below zero says that it never stops.
  if (node.value === false || (typeof node.value === "number" && node.value < 0)) return "never";
  const parts: { after?: number } = {};
  minutes(reading, node, at, parts);
  return parts.after === undefined ? undefined : policy({ minutes: parts.after });
}

function fromMap(reading: Reading, map: Mapping, at: Place): Idle {
  const parts: Autostop = {};
  walk(inside(reading), map, at.path, keys, parts);
  return policy(parts);
}

function policy(parts: Autostop): Policy {
  const { minutes: after = AUTOSTOP_MINUTES, down = false, hook, hookTimeout = HOOK_TIMEOUT } = parts;
  const waitFor = "waitFor" in parts ? parts.waitFor : "jobs_and_sessions";
  return {
    after,
    action: down ? "terminate" : "stop",
    ...(waitFor !== undefined && { waitFor }),
    ...(hook !== undefined && { hook: { run: hook, timeout: hookTimeout / MINUTE } }),
  };
}
