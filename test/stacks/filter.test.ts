/**
 * The stream's filter, as the stacks hand it to Lambda, against core's `ringFor`: generated changes go through both. The
 * filter is evaluated here by Lambda's documented rules for equality, not by Lambda; items are laid out as the table's
 * adapter lays them out.
 */
import { type Ring, ringFor } from "@muster/core/doorbell.ts";
import { draft } from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import { DUE_TYPES, type Entry, entryFor } from "@muster/core/outbox/outbox.ts";
import type { Change, Item } from "@muster/core/ports/table.ts";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { load } from "./harness/load.ts";
import { stages } from "./harness/stages.ts";
import { isObject } from "./harness/values.ts";
import { at, View } from "./harness/view.ts";

let pattern: unknown;
let outside: unknown;

beforeAll(async () => {
  const view = new View(await load(stages.dev));
  const patternOf = (mapping: string): unknown => {
    const { inputs } = view.one("lambda/eventSourceMapping:EventSourceMapping", mapping);
    const filters = at(inputs, "filterCriteria.filters") as readonly { readonly pattern: string }[];
    expect(filters.length).toBe(1);
    return JSON.parse(filters[0]?.pattern ?? "");
  };
  pattern = patternOf("DoorbellStream");
  outside = patternOf("OutboxStream");
});

/** A list is any of its values, an object is all of its fields. Rules that are objects, such as `prefix`, are not in use. */
function passes(rule: unknown, value: unknown): boolean {
  if (Array.isArray(rule)) {
    expect(rule.every(one => typeof one === "string")).toBe(true);
    return rule.includes(value);
  }
  if (!isObject(rule) || !isObject(value)) return false;
  return Object.entries(rule).every(([key, inner]) => passes(inner, value[key]));
}

/** A record of the stream, with what the filter can see of it. */
function recordOf(change: Change, isNew: boolean): unknown {
  if ("removed" in change)
    return { eventName: "REMOVE", dynamodb: { Keys: {}, OldImage: { type: { S: "event" }, data: { S: "{}" } } } };
  const { pk, sk, type, data, version } = change.item;
  const NewImage = {
    pk: { S: pk },
    sk: { S: sk },
    type: { S: type },
    data: { S: JSON.stringify(data) },
    version: { N: String(version) },
  };
  return { eventName: isNew ? "INSERT" : "MODIFY", dynamodb: { NewImage } };
}

const owner = Keys.job("acme", "job_1");
const nouns = ["cluster", "job", "array", "host", "attempt", "token"];
const states = [
  "requested",
  "asked",
  "starting",
  "ready",
  "stopping",
  "draining",
  "terminated",
  "queued",
  "cancelling",
  "succeeded",
  "running",
  "up",
];
const event: fc.Arbitrary<Item> = fc
  .record({
    noun: fc.constantFrom(...nouns),
    state: fc.constantFrom(...states),
    clusterId: fc.option(fc.constant("clu_1"), { nil: undefined }),
  })
  .map(({ noun, state, clusterId }) => ({
    ...draft(owner, { id: "system" }, { id: "evt_1", at: 1, subject: "job_1", kind: `${noun}.${state}`, clusterId }),
    version: 1,
  }));
const other: fc.Arbitrary<Item> = fc
  .record({
    type: fc.constantFrom(
      "cluster",
      "job",
      "array",
      "host",
      "pulse",
      "follow",
      "slots",
      "queued",
      "attempt",
      "claim",
      "token",
      "spec",
      "deadletter",
      "sweep",
      ...DUE_TYPES,
    ),
    dueAt: fc.option(fc.constant(1), { nil: undefined }),
    ring: fc.constantFrom({ do: "look" }, { do: "deliver", type: "report", workspace: "acme", id: "r", dueAt: 1 }),
    state: fc.constantFrom(...states),
    verdict: fc.option(fc.constant({ state: "failed" }), { nil: undefined }),
    hasSecrets: fc.option(fc.constant(true), { nil: undefined }),
    round: fc.option(fc.constant(1), { nil: undefined }),
    replayedAt: fc.option(fc.constant(1), { nil: undefined }),
    endedAt: fc.option(fc.constant(1), { nil: undefined }),
  })
  .map(({ type, state, verdict, hasSecrets, round, replayedAt, endedAt, dueAt, ring }) => ({
    ...owner,
    type,
    version: 2,
    data: {
      workspace: "acme",
      id: "job_1",
      clusterId: "clu_1",
      ranks: [0],
      state,
      ...(dueAt && { dueAt }),
      ...(type === "deadletter" && { ring }),
      ...(verdict && { verdict }),
      ...(hasSecrets && { hasSecrets }),
      ...(round && { round }),
      ...(replayedAt && { replayedAt }),
      ...(endedAt && { endedAt }),
    },
  }));
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.oneof(event, other).map(item => ({ item })),
  fc.constant({ removed: owner }),
);

test("whatever core would answer to gets through", () => {
  const rung = new Set<Ring["do"]>();
  fc.assert(
    fc.property(change, fc.boolean(), (changed, isNew) => {
      const ring = ringFor(changed);
      if (ring !== undefined) rung.add(ring.do);
      return ring === undefined || passes(pattern, recordOf(changed, isNew));
    }),
    { numRuns: 2000, seed: 7 },
  );
  expect([...rung].sort()).toEqual([
    "array",
    "drive",
    "kick",
    "look",
    "over",
    "reconcile",
    "replay",
    "strand",
    "sweep",
  ]);
});

test("whatever is to be done outside gets through to the outbox, and nothing else", () => {
  const asked = new Set<Entry["do"]>();
  const types = { asked: new Set<string>(), through: new Set<string>() };
  for (const changed of fc.sample(change, { numRuns: 3000, seed: 13 })) {
    const entry = entryFor(changed);
    const type = "item" in changed ? changed.item.type : "removed";
    if (entry !== undefined) asked.add(entry.do);
    if (entry !== undefined) types.asked.add(type);
    if (passes(outside, recordOf(changed, true))) types.through.add(type);
  }
  expect([...asked].sort()).toEqual(["deliver", "relay", "retry"]);
  expect([...types.through].sort()).toEqual([...types.asked].sort());
});

/** Its types, as the filter sees them: what is in an item's data it cannot see. */
test("no other type of item gets through, and nothing that was removed", () => {
  const answered = new Set<string>();
  const through = new Set<string>();
  for (const changed of fc.sample(change, { numRuns: 3000, seed: 11 })) {
    const type = "item" in changed ? changed.item.type : "removed";
    if (ringFor(changed) !== undefined) answered.add(type);
    if (passes(pattern, recordOf(changed, true))) through.add(type);
  }
  expect([...through].sort()).toEqual([...answered].sort());
  expect(through).not.toContain("pulse");
});
