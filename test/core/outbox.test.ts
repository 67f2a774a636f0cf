/** The outbox: which changes ask for something outside, and the sweep behind them; over SQLite in memory, with a clock of the test's. */
import { list } from "@muster/core/deadletter/read.ts";
import { ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import { draft } from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import { DUE_TYPES, Entry, entryFor, subjectOf } from "@muster/core/outbox/outbox.ts";
import { relay } from "@muster/core/outbox/relay.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import type { Item } from "@muster/core/ports/table.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { enqueue } from "@muster/core/webhook/enqueue.ts";
import { expect, test } from "vitest";
import { ADA, EVE } from "../support/world.ts";
import { ADMIN, eventOf, listOf, made, type Receiving, receiving } from "./webhook-support.ts";

const itemOf = (type: string, data: Item["data"], pk = "W#acme#X#x"): Item => ({ pk, sk: "X", type, data, version: 1 });
const entry = (type: string, data: Item["data"], pk?: string) => entryFor({ item: itemOf(type, data, pk) });
const due = { workspace: "acme", id: "one", dueAt: 7 };

test.each(DUE_TYPES)("a record of type %s is worked off while it has a time, unless it is taken", type => {
  expect(entry(type, due)).toEqual({ do: "deliver", type, ...due });
  expect(entry(type, { ...due, dueAt: undefined })).toBeUndefined();
  expect(entry(type, { ...due, taken: true })).toBeUndefined();
});

test("nothing else asks for anything", () => {
  expect(entryFor({ removed: { pk: "W#acme#J#j", sk: "JOB" } })).toBeUndefined();
  for (const type of ["job", "cluster", "pulse", "webhook", "hook"]) expect(entry(type, due)).toBeUndefined();
});

test("an event is told in its workspace, by its key or by its own word", () => {
  const event = { id: "evt_1", at: 1, subject: "job_1", kind: "job.failed" };
  const item = { ...draft(Keys.job("acme", "job_1"), { id: "system" }, event), version: 1 };
  expect(entryFor({ item })).toMatchObject({ do: "relay", workspace: "acme", event: { ...event, actor: "system" } });
  const revoked = { ...event, actor: "usr_ada", kind: "token.revoked" };
  expect(entry("event", { ...revoked, workspace: "acme" }, "T#tok_1")).toMatchObject({ workspace: "acme" });
  expect(entry("event", revoked, "T#tok_1")).toMatchObject({ workspace: "" });
});

test("a dead letter of the outbox is tried anew by the outbox, and of the doorbell by the doorbell", () => {
  const letter = { workspace: "acme", id: "dl_1", replayedAt: 1 };
  const ours = itemOf("deadletter", { ...letter, ring: { do: "deliver", type: "report", ...due } });
  const others = itemOf("deadletter", { ...letter, ring: { do: "look", workspace: "acme", jobId: "job_1" } });
  expect([entryFor({ item: ours })?.do, ringFor({ item: ours })]).toEqual(["retry", undefined]);
  expect([entryFor({ item: others }), ringFor({ item: others })?.do]).toEqual([undefined, "replay"]);
  expect(entry("deadletter", { ...letter, replayedAt: undefined, ring: ours.data.ring })).toBeUndefined();
});

test("entries of different things are told apart", () => {
  const entries: Entry[] = [
    ...DUE_TYPES.map(type => ({ do: "deliver", type, ...due }) as const),
    { do: "retry", workspace: "acme", id: "one" },
    { do: "relay", workspace: "acme", event: { id: "one", at: 1, subject: "s", kind: "k", actor: "a" } },
    { do: "deliver", type: "report", ...due, workspace: "other" },
  ];
  expect(new Set(entries.map(subjectOf)).size).toBe(entries.length);
  for (const one of entries) expect(Entry.parse(JSON.parse(JSON.stringify(one)))).toEqual(one);
});

/** A webhook's delivery that is due, for this workspace. */
async function queued(world: Receiving): Promise<string> {
  await enqueue(world, eventOf(world), ADA.workspace);
  return (await listOf(world))[0]?.id ?? "";
}

/** Reading this delivery fails. */
function spoilt(world: Receiving, id: () => string): Receiving {
  const get: typeof world.table.get = key =>
    id() !== "" && key.pk.includes(id())
      ? Promise.reject(new MusterError("unavailable", "spoilt"))
      : world.table.get(key);
  return { ...world, table: { ...world.table, get } };
}

test("one that fails does not hold up the others; after three times it is a dead letter, and is still tried", async () => {
  const world = receiving();
  await made(world);
  let bad = await queued(world);
  await queued(world);
  const part = spoilt(world, () => bad);
  expect(await sweepOutbox(part)).toBe(2);
  expect(world.heard).toHaveLength(1);
  const letters = async () => (await list(world, ADMIN, { limit: 10 })).items;
  expect(await letters()).toEqual([]);
  for (let turn = 0; turn < 2; turn++) expect(await sweepOutbox(part)).toBe(1);
  expect(await letters()).toMatchObject([{ times: 3, reason: "unavailable: spoilt", canReplay: true }]);
  bad = "";
  expect(await sweepOutbox(part)).toBe(1);
  expect(world.heard).toHaveLength(2);
  expect(await sweepOutbox(part)).toBe(0);
});

test("nothing is begun after its time is over", async () => {
  const world = receiving();
  await made(world);
  await queued(world);
  await sweepOutbox(world, world.clock.now());
  expect(world.heard).toEqual([]);
  await sweepOutbox(world, world.clock.now() + 1);
  expect(world.heard).toHaveLength(1);
});

test("those who make and end machines never read what is due outside", async () => {
  const world = receiving();
  await made(world);
  await queued(world);
  expect(await sweepDue(world)).toBe(0);
  expect(world.heard).toEqual([]);
});

test("a quiet outbox writes nothing", async () => {
  const world = receiving();
  await made(world);
  await queued(world);
  await sweepOutbox(world);
  const before = world.changes.length;
  for (let turn = 0; turn < 3; turn++) await sweepOutbox(world);
  expect(world.changes).toHaveLength(before);
});

test("what fails of telling an event does not keep the rest from it, and is told anew", async () => {
  const world = receiving();
  await made(world);
  const broken = { ...world, table: { ...world.table, get: () => Promise.reject(new Error("no table")) } };
  const event = { ...eventOf(world), via: { token: "tok_1" } };
  await expect(relay(broken, event, ADA.workspace)).rejects.toThrow("no table");
  expect(await listOf(world)).toHaveLength(1);
  await relay(world, event, ADA.workspace);
  expect(await listOf(world)).toHaveLength(1);
});

test("nobody is told of what belongs to no workspace", async () => {
  const world = receiving();
  await made(world);
  await relay(world, eventOf(world), "");
  await relay(world, eventOf(world), EVE.workspace);
  expect(await listOf(world)).toEqual([]);
});
