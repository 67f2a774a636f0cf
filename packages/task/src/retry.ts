/** How often a job is tried, and after which ends: Muster's `retry` and `max_attempts`, and SkyPilot's `job_recovery`. */
import { Retry, RetryCause } from "@muster/core/task/retry.ts";
import { integer, itemsOf, listOf, orMap, shape, word, words } from "./check.ts";
import type { Draft } from "./draft.ts";
import { duration } from "./quantity.ts";
import {
  claim,
  defer,
  type Field,
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
import { find, type Mapping, type Node } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

type Parts = { -readonly [K in keyof Retry]?: Retry[K] };

const UNSAID = Retry.parse({});
/** What `max_attempts` alone is about: whatever ends a try but its own time limit. */
const ANY: readonly RetryCause[] = ["exit_code", "setup_failed", "interruption", "host_lost"];

const max = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  const read = whole(reading, value, at);
  if (read !== undefined && claim(reading, "retry.max", at)) out.max = read;
};

const on = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  reading.origins.set("retry.on", at);
  const read = items(value, at).map(([item, place]) => word(reading, item, place, RetryCause.options));
  if (!read.includes(undefined)) out.on = [...new Set(read as RetryCause[])];
};

const exitCodes = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  reading.origins.set("retry.exitCodes", at);
  const read = items(value, at).map(([item, place]) => whole(reading, item, place));
  if (!read.includes(undefined)) out.exitCodes = [...new Set(read as number[])];
};

/** One alone will do. */
const items = (value: Node, at: Place): readonly [Node, Place][] =>
  value.kind === "list" ? itemsOf(value.items, at) : [[value, at]];

const backoff = (reading: Reading, value: Node, at: Place, out: Parts): void => {
  reading.origins.set("retry.backoff", at);
  const seconds = duration(reading, value, at, 1);
  if (seconds !== undefined) out.backoff = Math.ceil(seconds);
};

const keys: Keys<Parts> = { max, on, exit_codes: exitCodes, backoff };

/** `retry: 3`, `true`, `false`, or a map of max, on, exit_codes and backoff. */
export const retry: ReadField = (reading, value, at, out) => {
  if (!claim(reading, "retry", at)) return;
  const parts: Parts = {};
  if (value.kind === "map") walk(inside(reading), value, at.path, keys, parts);
  else if (value.kind === "list") mistyped(reading, value, at, "a number, true, false or a map");
  else if (value.value === false) return;
  else if (value.value !== true) max(reading, value, at, parts);
  out.task.retry = filled(parts);
};

/** With what is not said. Whoever names exit codes means them. */
function filled({ on = UNSAID.on, ...parts }: Parts): Retry {
  const means = parts.exitCodes !== undefined && !on.includes("exit_code") ? [...on, "exit_code" as const] : on;
  return { ...UNSAID, ...parts, on: means };
}

/** All tries, the first one included. */
export const maxAttempts: ReadField = (reading, value, at, out) => {
  const read = whole(reading, value, at);
  if (read === undefined || !claim(reading, "retry.max", at)) return;
  if (read < 1) refuse(reading, at, "must be at least 1");
  else out.task.retry = { ...(out.task.retry ?? { ...UNSAID, on: [...ANY] }), max: read - 1 };
};

export const queueTimeout: ReadField = (reading, value, at, out) => {
  const read = duration(reading, value, at, 1);
  if (read === undefined || !claim(reading, "queueTimeout", at)) return;
  if (read > 0) out.task.queueTimeout = Math.ceil(read);
  else refuse(reading, at, "must be more than 0");
};

const strategy = shape({
  strategy: words,
  min_nodes: integer(1),
  max_restarts_on_errors: integer(0),
  recover_on_exit_codes: listOf(integer(0, 255), true),
});

/** Both look for other machines; where they look first is Muster's own choice. */
const STRATEGIES = ["failover", "eager_next_region"];

/** What SkyPilot's managed jobs do by themselves: see `MANAGED` in core. */
const RECOVERY: Retry = Retry.parse({ max: 100, on: ["capacity", "interruption", "host_lost"] });

/** SkyPilot's, by name or as a map; `none` asks for nothing. */
export const recovery: ReadField = (reading, value, at, out) => {
  const before = reading.issues.length;
  orMap(words, strategy)(reading, value, at);
  if (reading.issues.length > before || !claim(reading, "retry", at)) return;
  const name = strategyOf(reading, value, at)?.toLowerCase();
  if (name === "none") return;
  if (name !== undefined && !STRATEGIES.includes(name))
    return void defer(reading, at, "jobs that go on with fewer machines when some are lost");
  if (name !== undefined)
    reading.warnings.push(
      `${at.path}: Muster looks wherever the task allows, whatever the strategy; new machines come with --managed`,
    );
  out.task.retry = value.kind === "map" ? restarts(reading, value, at) : RECOVERY;
};

function strategyOf(reading: Reading, value: Node, at: Place): string | undefined {
  const named = value.kind === "map" ? find(value, ["strategy"]) : value;
  return named === undefined || (named.kind === "scalar" && named.value === null)
    ? undefined
    : text(reading, named, at);
}

function restarts(reading: Reading, map: Mapping, at: Place): Retry {
  const errors = find(map, ["max_restarts_on_errors"]);
  const codes = find(map, ["recover_on_exit_codes"]);
  const most = errors?.kind === "scalar" ? Number(errors.value ?? 0) : 0;
  const named =
    codes === undefined ? [] : items(codes, at).map(([item]) => (item.kind === "scalar" ? Number(item.value) : 0));
  const exitCodes = [...new Set(named.filter(code => code > 0))];
  if (most === 0 && exitCodes.length === 0) return RECOVERY;
  if (most > 0)
    reading.warnings.push(
      `${at.path}.max_restarts_on_errors: counts every try after the first, whatever made it necessary`,
    );
  return {
    ...RECOVERY,
    ...(most > 0 ? { max: most } : { exitCodes }),
    on: [...RECOVERY.on, "exit_code"],
  };
}
