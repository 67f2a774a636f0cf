/**
 * The audit: what is kept of events that a request caused, how it is read, and how it reaches the bucket; the real verbs over
 * the SQLite table in memory, with blobs in memory. Interruptions are made by the test.
 */
import * as Audit from "@muster/core/audit/audit.ts";
import { exportDay, MOST_LINES } from "@muster/core/audit/export.ts";
import { list, Query } from "@muster/core/audit/list.ts";
import { note } from "@muster/core/audit/note.ts";
import type { Event } from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { counted } from "../support/units.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const ADMIN = { ...ADA, role: "admin" } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const W = ADA.workspace;

let n = 0;
function event(at: number, more: Partial<Event> = {}): Event {
  const id = `evt_${String(++n).padStart(26, "0")}`;
  const via = { token: "tok_1", from: "203.0.113.7" };
  return { id, at, subject: "clu_1", kind: "cluster.draining", actor: "usr_ada", via, ...more };
}

const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);
const read = (world: TestWorld, query: object = {}, page: { cursor?: string; limit?: number } = {}) =>
  list(world, ADMIN, { ...Query.parse(query), limit: 100, ...page });

async function all(world: TestWorld, query: object = {}, limit = 100): Promise<Event[]> {
  const items: Event[] = [];
  let cursor: string | undefined;
  do {
    const page = await read(world, query, { limit, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

const linesOf = async (world: TestWorld, key: string): Promise<Event[]> =>
  new TextDecoder()
    .decode(await world.blobs.get(key))
    .split("\n")
    .filter(line => line !== "")
    .map(line => JSON.parse(line));

const keys = async (world: TestWorld) => (await world.blobs.list("audit/")).map(({ key }) => key);
const lines = async (world: TestWorld) =>
  (await Promise.all((await keys(world)).map(key => linesOf(world, key)))).flat();

test("what a request caused is kept once, however often it is told; what none caused is not", async () => {
  const world = testWorld();
  const one = event(world.clock.now());
  const { via: _, ...own } = event(world.clock.now(), { actor: "system" });
  for (let time = 0; time < 3; time++) await note(world, one, W);
  await note(world, own, W);
  expect((await read(world)).items).toEqual([one]);
  const [item] = (await world.table.query({ pk: Keys.audited(W, Audit.dayOf(one.at)) })).items;
  expect(item?.expiresAt).toBe(one.at + 400 * DAY);
});

test("an event costs three write units where it is the first of its day, and else one", async () => {
  const world = testWorld();
  const { table, units } = counted(world.table);
  const spent = async () => {
    const before = units.writes;
    await note({ ...world, table }, event(world.clock.now()), W);
    return units.writes - before;
  };
  // The day's own item has an index entry beside it.
  expect([await spent(), await spent(), await spent()]).toEqual([3, 1, 1]);
});

test("it is read newest first, over the ends of days, page by page, each line once; nobody else's", async () => {
  const world = testWorld();
  const made: Event[] = [];
  for (let hour = 0; hour < 60; hour++) {
    world.clock.pass(HOUR);
    made.push(event(world.clock.now()));
    await note(world, made.at(-1) as Event, W);
  }
  const newest = ids(made).reverse();
  expect(ids(await all(world))).toEqual(newest);
  expect(ids(await all(world, {}, 7))).toEqual(newest);
  const [since, until] = [made[10]?.at, made[40]?.at];
  expect(ids(await all(world, { since, until }, 4))).toEqual(newest.slice(19, 50));
  expect((await list(world, EVE, { limit: 10 })).items).toEqual([]);
});

test("it is chosen by who, with which token, and what of; a page looks at a thousand lines and goes on", async () => {
  const world = testWorld();
  const at = world.clock.now();
  const rare = event(at, { actor: "usr_ben", via: { token: "tok_2" }, subject: "job_1" });
  await note(world, rare, W);
  for (let count = 0; count < 1100; count++) await note(world, event(at), W);
  for (const query of [{ actor: "usr_ben" }, { token: "tok_2" }, { subject: "job_1" }]) {
    const first = await read(world, query);
    expect([first.items, first.cursor]).toEqual([[], expect.any(String)]);
    expect(await all(world, query)).toEqual([rare]);
  }
  expect(await all(world, { actor: "usr_ben", token: "tok_1" })).toEqual([]);
});

test("a cursor is good for its own question in its own workspace only", async () => {
  const world = testWorld();
  for (let count = 0; count < 3; count++) await note(world, event(world.clock.now()), W);
  const { cursor = "" } = await read(world, { actor: "usr_ada" }, { limit: 1 });
  expect((await read(world, { actor: "usr_ada" }, { cursor })).items).toHaveLength(2);
  expect(await code(read(world, { actor: "usr_ben" }, { cursor }))).toBe("invalid_request");
  expect(await code(list(world, EVE, { actor: "usr_ada", limit: 1, cursor }))).toBe("invalid_request");
  expect(await code(read(world, { actor: "usr_ada" }, { cursor: `${cursor}A` }))).toBe("invalid_request");
  // Where one day has ended, and the next was not begun, nothing of the table's own is in it.
  const { cursor: between = "" } = await read(world, { actor: "usr_ada" }, { limit: 3 });
  expect((await read(world, { actor: "usr_ada" }, { cursor: between })).items).toEqual([]);
  expect(await code(list(world, EVE, { actor: "usr_ada", limit: 1, cursor: between }))).toBe("invalid_request");
});

/** The sweep of the outbox, as it comes each minute. */
const sweep = (world: TestWorld) => sweepOutbox(world);

test("a day's lines are in the bucket an hour after it is over, in the order of their events", async () => {
  const world = testWorld();
  const start = world.clock.now();
  const made = [event(start), event(start + DAY - 1), event(start + DAY)];
  for (const one of made) await note(world, one, W);
  world.clock.pass(DAY + HOUR - 1);
  await sweep(world);
  // Nor when somebody is told of it too early.
  await exportDay(world, { workspace: W, id: Audit.dayOf(start) });
  expect(await keys(world)).toEqual([]);
  world.clock.pass(1);
  await sweep(world);
  expect(await keys(world)).toEqual(["audit/acme/2026-01-01/0000.jsonl"]);
  expect(await lines(world)).toEqual(made.slice(0, 2));
  const before = world.changes.length;
  await sweep(world);
  expect(world.changes.length).toBe(before);
  world.clock.pass(DAY);
  await sweep(world);
  expect(await lines(world)).toEqual(made);
});

test("lines that come later go into a further part, and those that are there do not come again", async () => {
  const world = testWorld();
  const start = world.clock.now();
  const [one, two, late] = [event(start), event(start), event(start)];
  await note(world, one, W);
  await note(world, late, W);
  world.clock.pass(DAY + HOUR);
  await sweep(world);
  await note(world, two, W);
  await note(world, one, W);
  await sweep(world);
  expect(ids(await lines(world))).toEqual(ids([one, late]));
  world.clock.pass(HOUR);
  await sweep(world);
  expect(await keys(world)).toEqual(["audit/acme/2026-01-01/0000.jsonl", "audit/acme/2026-01-01/0001.jsonl"]);
  expect(ids(await lines(world))).toEqual(ids([one, late, two]));
});

test("a day of more lines than a part may have is written in several, none lost and none twice", async () => {
  const world = testWorld();
  const at = world.clock.now();
  const day = Audit.dayOf(at);
  const made = Array.from({ length: MOST_LINES + 3 }, () => event(at));
  for (const one of made.slice(1))
    await world.table.write([
      { put: { ...Keys.audit(W, day, one.id), type: "audit", data: one, expiresAt: at + DAY * 400 }, expect: "absent" },
    ]);
  await note(world, made[0] as Event, W);
  world.clock.pass(DAY + HOUR);
  for (let time = 0; time < 3; time++) await sweep(world);
  expect((await keys(world)).length).toBe(2);
  expect(ids(await lines(world))).toEqual(ids(made));
});

test.each(["before the part", "after the part"])(
  "whoever is interrupted %s loses nothing and doubles nothing",
  async when => {
    const world = testWorld();
    const made = [event(world.clock.now()), event(world.clock.now())];
    await note(world, made[0] as Event, W);
    world.clock.pass(DAY + HOUR);
    const put: TestWorld["blobs"]["put"] = async (key, bytes) => {
      if (when === "after the part") await world.blobs.put(key, bytes);
      throw new Error("it was cut off");
    };
    const ref = { workspace: W, id: Audit.dayOf(made[0]?.at ?? 0) };
    await expect(exportDay({ ...world, blobs: { ...world.blobs, put } }, ref)).rejects.toThrow("cut off");
    // A line comes before anybody tries again.
    await note(world, made[1] as Event, W);
    world.clock.pass(HOUR);
    await sweep(world);
    expect(await keys(world)).toEqual(["audit/acme/2026-01-01/0000.jsonl"]);
    expect(ids(await lines(world))).toEqual(ids(made));
  },
);

test("a line that comes while its day is written is in the bucket in the end", async () => {
  const world = testWorld();
  const made = [event(world.clock.now()), event(world.clock.now())];
  await note(world, made[0] as Event, W);
  world.clock.pass(DAY + HOUR);
  const put: TestWorld["blobs"]["put"] = async (key, bytes) => {
    await note(world, made[1] as Event, W);
    await world.blobs.put(key, bytes);
  };
  await exportDay({ ...world, blobs: { ...world.blobs, put } }, { workspace: W, id: Audit.dayOf(made[0]?.at ?? 0) });
  expect(ids(await lines(world))).toEqual(ids(made.slice(0, 1)));
  world.clock.pass(HOUR);
  await sweep(world);
  expect(ids(await lines(world))).toEqual(ids(made));
});

test("two that write a day at once write it once", async () => {
  const world = testWorld();
  const one = event(world.clock.now());
  await note(world, one, W);
  world.clock.pass(DAY + HOUR);
  const ref = { workspace: W, id: Audit.dayOf(one.at) };
  let puts = 0;
  const put: TestWorld["blobs"]["put"] = async (key, bytes) => {
    puts++;
    await world.blobs.put(key, bytes);
  };
  await Promise.all([1, 2, 3].map(() => exportDay({ ...world, blobs: { ...world.blobs, put } }, ref)));
  expect([puts, ids(await lines(world))]).toEqual([1, [one.id]]);
});
