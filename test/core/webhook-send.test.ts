/** Deliveries of webhooks, over SQLite in memory with a clock that the test sets, and a receiver of the test's own. */
import { entryFor } from "@muster/core/outbox/outbox.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { disable, enable } from "@muster/core/webhook/enable.ts";
import { enqueue } from "@muster/core/webhook/enqueue.ts";
import { get } from "@muster/core/webhook/read.ts";
import { remove } from "@muster/core/webhook/remove.ts";
import { LEASE, send } from "@muster/core/webhook/send.ts";
import { DELAYS, delayOf, retryAfterOf } from "@muster/core/webhook/times.ts";
import { expect, test } from "vitest";
import { ADA } from "../support/world.ts";
import { ADMIN, eventOf, happens, listOf, made, NAME, passAll, receiving, URL_OF_IT } from "./webhook-support.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

test("the schedule is that of Standard Webhooks: 75 hours, 35 minutes and 5 seconds", () => {
  const hours = [2, 5, 10, 14, 20, 24].map(count => count * HOUR);
  expect(DELAYS).toEqual([0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...hours]);
  expect(DELAYS.reduce((sum, delay) => sum + delay, 0)).toBe(75 * HOUR + 35 * MINUTE + 5 * SECOND);
});

test("an event is delivered at once, and once", async () => {
  const world = receiving();
  await made(world);
  const { id } = await happens(world, { kind: "job.failed", subject: "job_x", message: "it fell over" });
  await passAll(world);
  expect(world.heard).toHaveLength(1);
  const [{ url, method, body, headers }] = world.heard as [(typeof world.heard)[number]];
  expect({ url, method }).toEqual({ url: URL_OF_IT, method: "POST" });
  expect(JSON.parse(body ?? "")).toMatchObject({
    type: "job.failed",
    timestamp: "2026-01-01T00:00:00.000Z",
    data: { id, workspace: "acme", subject: "job_x", message: "it fell over" },
  });
  const [delivery] = await listOf(world);
  expect(delivery).toMatchObject({ id: headers["webhook-id"], outcome: "delivered", eventId: id, tries: 1 });
  expect(delivery?.log).toEqual([{ at: world.clock.now(), ms: 0, status: 204 }]);
  expect(delivery?.nextAt).toBeUndefined();
});

test("an event that comes twice is delivered once", async () => {
  const world = receiving();
  await made(world);
  const event = await happens(world);
  await enqueue(world, event, ADA.workspace);
  await passAll(world);
  expect(world.heard).toHaveLength(1);
});

test("a receiver that is away is tried ten times over 75 hours, each time with the same id and the same body", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 503 });
  const { at } = await happens(world);
  await passAll(world);
  expect(world.heard).toHaveLength(10);
  expect(new Set(world.heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(new Set(world.heard.map(({ body }) => body)).size).toBe(1);
  const gaps = world.heard.map((heard, index) => heard.at - (world.heard[index - 1]?.at ?? at));
  for (const [index, gap] of gaps.entries()) {
    expect(gap).toBeGreaterThanOrEqual(DELAYS[index] ?? Infinity);
    expect(gap).toBeLessThanOrEqual((DELAYS[index] ?? 0) * 1.1);
  }
  const [delivery] = await listOf(world);
  expect(delivery).toMatchObject({ outcome: "dead", tries: 10 });
  expect(delivery?.log.map(({ status, reason }) => [status, reason])).toEqual(
    Array.from({ length: 10 }, () => [503, "answered 503"]),
  );
  expect(delivery?.nextAt).toBeUndefined();
});

test("each try is signed for its own time", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 500 }, {});
  await happens(world);
  await passAll(world);
  const [first, second] = world.heard.map(({ headers }) => Number(headers["webhook-timestamp"]));
  expect(second).toBe((first ?? 0) + 5);
});

test.each([
  [200, "delivered"],
  [201, "delivered"],
  [204, "delivered"],
  [299, "delivered"],
  [301, "pending"],
  [302, "pending"],
  [304, "pending"],
  [308, "pending"],
  [400, "pending"],
  [401, "pending"],
  [404, "pending"],
  [408, "pending"],
  [409, "pending"],
  [422, "pending"],
  [429, "pending"],
  [500, "pending"],
  [502, "pending"],
  [503, "pending"],
  [504, "pending"],
  [100, "pending"],
] as const)("an answer of %i: %s", async (status, outcome) => {
  const world = receiving();
  await made(world);
  world.says({ status });
  await happens(world);
  const [delivery] = await listOf(world);
  expect(delivery?.outcome ?? "pending").toBe(outcome);
  expect(delivery?.log).toMatchObject([{ status }]);
});

test("no answer is tried again, and says why", async () => {
  const world = receiving();
  await made(world);
  world.says("no answer", {});
  await happens(world);
  const [delivery] = await listOf(world);
  expect(delivery?.log).toEqual([
    { at: world.clock.now(), ms: 0, reason: "hooks.example.com did not answer: ECONNRESET" },
  ]);
  await passAll(world);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered", tries: 2 });
});

test("a redirect says where the mistake is", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 301, headers: { location: "https://elsewhere.example.com/" } });
  await happens(world);
  expect((await listOf(world))[0]?.log[0]?.reason).toContain("redirect");
  expect(world.heard).toHaveLength(1);
});

test("a receiver that asks for time has it, up to a day", async () => {
  const world = receiving();
  await made(world);
  world.says(
    { status: 429, headers: { "retry-after": "600" } },
    { status: 503, headers: { "retry-after": "9999999" } },
    // No reason to wait: it is only heard where it means that.
    { status: 500, headers: { "retry-after": "86400" } },
    {},
  );
  await happens(world);
  await passAll(world);
  const [first = 0, second = 0, third = 0, fourth = 0] = world.heard.map(({ at }) => at);
  expect(second - first).toBe(600 * SECOND);
  expect(third - second).toBe(24 * HOUR);
  expect(fourth - third).toBeLessThanOrEqual(33 * MINUTE);
});

test("a receiver that asks for less time than the schedule has does not hurry it", () => {
  expect(delayOf("msg_1", 3, 1)).toBeGreaterThanOrEqual(30 * MINUTE);
  expect(delayOf("msg_1", DELAYS.length)).toBeUndefined();
});

test.each([
  ["120", 120_000],
  [" 7 ", 7_000],
  ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
  ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
  ["-5", 0],
  ["1.5", 0],
  ["soon", 0],
  ["", 0],
  [undefined, 0],
])("Retry-After: %s", (header, ms) => {
  expect(retryAfterOf(header, Date.UTC(2026, 0, 1))).toBe(ms);
});

test("a receiver that is gone is told nothing more, and the webhook's history says why", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 410 });
  await happens(world);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "dead", tries: 1 });
  expect((await get(world, ADMIN, NAME)).disabled).toMatchObject({ reason: expect.stringContaining("410") });
  const kinds = world.changes.flatMap(change => ("item" in change ? [String(change.item.data.kind)] : []));
  expect(kinds).toContain("webhook.disabled");
  await happens(world);
  await passAll(world);
  expect(await listOf(world)).toHaveLength(1);
  expect(world.heard).toHaveLength(1);
  world.says({});
  await enable(world, ADMIN, NAME);
  await happens(world);
  expect(world.heard).toHaveLength(2);
});

test.each(["disabled", "removed"] as const)("what was not delivered when its webhook is %s is dropped", async how => {
  const world = receiving();
  const { id } = await made(world);
  world.says({ status: 500 });
  await happens(world);
  await (how === "disabled" ? disable(world, ADMIN, NAME) : remove(world, ADMIN, NAME));
  await passAll(world);
  expect(world.heard).toHaveLength(1);
  if (how === "disabled") expect((await listOf(world))[0]).toMatchObject({ outcome: "dropped", webhookId: id });
});

test("another webhook of the same name has nothing of what the one before was to be sent", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 500 }, {});
  await happens(world);
  await remove(world, ADMIN, NAME);
  await made(world);
  await passAll(world);
  expect(world.heard).toHaveLength(1);
  expect(await listOf(world)).toEqual([]);
});

test("a process that dies between sending and writing has it sent again, with the same id, once its time is over", async () => {
  const world = receiving();
  await made(world);
  const event = eventOf(world);
  await enqueue(world, event, ADA.workspace);
  const [{ id } = { id: "" }] = await listOf(world);
  const dying = {
    ...world,
    table: {
      ...world.table,
      // It takes the delivery, sends it, and is no more.
      write: (writes: Parameters<typeof world.table.write>[0]) =>
        world.heard.length > 0 ? new Promise<never>(() => {}) : world.table.write(writes),
    },
  };
  void send(dying, { workspace: ADA.workspace, id });
  await expect.poll(() => world.heard.length).toBe(1);
  await sweepOutbox(world);
  expect(world.heard).toHaveLength(1);
  world.clock.pass(LEASE);
  await sweepOutbox(world);
  expect(world.heard.map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered", tries: 2 });
});

test("one that kills whoever sends it is not sent for ever", async () => {
  const world = receiving();
  await made(world);
  await enqueue(world, eventOf(world), ADA.workspace);
  const dying = { ...world, outbound: { ...world.outbound, send: () => new Promise<never>(() => {}) } };
  const [{ id } = { id: "" }] = await listOf(world);
  let begun = 0;
  for (let round = 0; round < 20; round++) {
    const before = (await listOf(world))[0]?.tries ?? 0;
    void send(dying, { workspace: ADA.workspace, id });
    await expect.poll(async () => (await listOf(world))[0]?.changedAt).toBe(world.clock.now());
    begun += ((await listOf(world))[0]?.tries ?? 0) - before;
    if ((await listOf(world))[0]?.outcome !== undefined) break;
    world.clock.pass(LEASE);
  }
  expect(begun).toBe(10);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "dead" });
});

test("what is under way, or waits for its time, is sent by nobody else, and asks for nobody", async () => {
  const world = receiving();
  await made(world);
  world.changes.length = 0;
  world.says({ status: 500 });
  await happens(world);
  const [{ id } = { id: "" }] = await listOf(world);
  await send(world, { workspace: ADA.workspace, id });
  expect(world.heard).toHaveLength(1);
  // To be sent at once, and again in five seconds; in between it is taken.
  const asked = world.changes.flatMap(change => entryFor(change) ?? []);
  expect(asked.map(entry => (entry.do === "deliver" ? entry.dueAt - world.clock.now() : "?"))).toEqual([0, 5_000]);
});

test("two who take it at once send it once", async () => {
  const world = receiving();
  await made(world);
  await enqueue(world, eventOf(world), ADA.workspace);
  const [{ id } = { id: "" }] = await listOf(world);
  await Promise.all(Array.from({ length: 8 }, () => send(world, { workspace: ADA.workspace, id })));
  expect(world.heard).toHaveLength(1);
});
