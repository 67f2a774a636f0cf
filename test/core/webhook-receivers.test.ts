/**
 * Webhooks against a real HTTP server on the loopback, by the real Outbound with an operator's list that lets it be reached;
 * the table is SQLite in memory, and its clock is set by the test.
 */
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { LEASE } from "@muster/core/webhook/send.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { Webhook as Verifier } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Receiver, startReceiver } from "../node/outbound-support.ts";
import { happens, listOf, made, passAll, type Receiving, receiving } from "./webhook-support.ts";

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const at = (path = "/hook"): string => `http://127.0.0.1:${receiver.port}${path}`;

/** Its clock begins now: the reference library looks at the machine's. @param timeout in place of the webhooks' own, in ms */
function calling(allow: readonly string[] = ["127.0.0.1"], timeout?: number): Receiving {
  const world = receiving();
  world.clock.pass(Date.now() - world.clock.now());
  const real = createOutbound({ allow });
  const send: typeof real.send = request => real.send(timeout === undefined ? request : { ...request, timeout });
  return { ...world, outbound: { check: real.check, send } };
}

test("what arrives holds before the reference library", async () => {
  const world = calling();
  const { secret } = await made(world, { url: at() });
  await happens(world, { message: "größer" });
  expect(receiver.heard).toHaveLength(1);
  const [{ body, headers, method, path } = { body: "", headers: {}, method: "", path: "" }] = receiver.heard;
  expect({ method, path }).toEqual({ method: "POST", path: "/hook" });
  expect(headers["content-type"]).toBe("application/json");
  const taken = new Verifier(secret).verify(body, headers as Record<string, string>);
  expect(taken).toMatchObject({ type: "job.succeeded", data: { message: "größer" } });
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered", log: [{ status: 200 }] });
});

test("without the operator's word nothing near is called, and the log says so", async () => {
  const world = calling([]);
  const { name } = await made({ ...world, outbound: { ...world.outbound, check: () => undefined } }, { url: at() });
  await happens(world);
  expect(receiver.heard).toEqual([]);
  const [delivery] = await listOf(world, name);
  expect(delivery?.outcome).toBeUndefined();
  expect(delivery?.log[0]?.reason).toContain("not open to everybody");
});

test("one that can never be reached is refused when it is made", async () => {
  await expect(made(calling([]), { url: at() })).rejects.toMatchObject({ code: "invalid_request" });
});

test("a receiver that fails once is told again five seconds later", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response => response.writeHead(receiver.heard.length === 1 ? 500 : 200).end();
  await happens(world);
  world.clock.pass(4_999);
  await sweepOutbox(world);
  expect(receiver.heard).toHaveLength(1);
  world.clock.pass(1);
  await sweepOutbox(world);
  expect(receiver.heard).toHaveLength(2);
  expect(new Set(receiver.heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("429 with Retry-After is heard", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response =>
    receiver.heard.length === 1 ? response.writeHead(429, { "retry-after": "120" }).end() : response.end();
  await happens(world);
  expect((await listOf(world))[0]?.nextAt).toBe(world.clock.now() + 120_000);
  await passAll(world);
  expect(receiver.heard).toHaveLength(2);
});

test("410 ends it", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response => response.writeHead(410).end();
  await happens(world);
  await happens(world);
  await passAll(world);
  expect(receiver.heard).toHaveLength(1);
});

test("a redirect is a failure, and is not followed", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response => response.writeHead(302, { location: at("/elsewhere") }).end();
  await happens(world);
  expect(receiver.heard.map(({ path }) => path)).toEqual(["/hook"]);
  expect((await listOf(world))[0]).toMatchObject({ log: [{ status: 302 }] });
});

test("one that hangs is let go, and tried again", async () => {
  const world = calling(["127.0.0.1"], 50);
  await made(world, { url: at() });
  receiver.answer = response => (receiver.heard.length === 1 ? undefined : response.end());
  await happens(world);
  expect((await listOf(world))[0]?.log[0]?.reason).toContain("no answer within");
  await passAll(world);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered", tries: 2 });
});

test("one that hangs up after it has taken it gets it again, with the same id", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response => (receiver.heard.length === 1 ? response.destroy() : response.end());
  await happens(world);
  await passAll(world);
  const ids = receiver.heard.map(({ headers }) => headers["webhook-id"]);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("one that says more than anybody reads has taken it all the same", async () => {
  const world = calling();
  await made(world, { url: at() });
  receiver.answer = response => response.end("x".repeat(1_000_000));
  await happens(world);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered" });
});

test("one that is slow for one event holds up no other", async () => {
  const world = calling();
  const other = await startReceiver();
  try {
    await made(world, { url: at(), events: ["job.failed"] }, "slow");
    await made(world, { url: `http://127.0.0.1:${other.port}/`, events: ["job.succeeded"] }, "quick");
    receiver.answer = () => undefined;
    void happens(world, { kind: "job.failed" });
    await expect.poll(() => receiver.heard.length).toBe(1);
    await happens(world, { kind: "job.succeeded" });
    expect(other.heard).toHaveLength(1);
    // What is under way is not begun anew meanwhile.
    expect(receiver.heard).toHaveLength(1);
  } finally {
    await other.close();
  }
});

test("one that was sent, while the process died before it was noted, comes twice", async () => {
  const world = calling();
  await made(world, { url: at() });
  const { write } = world.table;
  const dying = { ...world, table: { ...world.table, write: lost(write, () => receiver.heard.length > 0) } };
  void happens(dying);
  await expect.poll(() => receiver.heard.length).toBe(1);
  world.clock.pass(LEASE);
  await sweepOutbox(world);
  const ids = receiver.heard.map(({ headers }) => headers["webhook-id"]);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

/** Writes that never come to anything, once something has happened. */
const lost =
  (write: Receiving["table"]["write"], isOver: () => boolean): Receiving["table"]["write"] =>
  writes =>
    isOver() ? new Promise<never>(() => {}) : write(writes);

test("Slack's form is one field", async () => {
  const world = calling();
  await made(world, { url: at(), format: "slack" });
  await happens(world, { subject: "job_x", message: "exit code 1", kind: "job.failed" });
  expect(JSON.parse(receiver.heard[0]?.body ?? "")).toEqual({ text: "job job_x failed: exit code 1" });
});
