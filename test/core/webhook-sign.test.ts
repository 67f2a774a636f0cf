/** Signatures of webhooks, checked by the reference library of Standard Webhooks; over SQLite in memory, with a clock of the test's. */
import { rotate } from "@muster/core/webhook/rotate.ts";
import { Webhook as Verifier } from "standardwebhooks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ADMIN, happens, made, NAME, type Receiving, receiving } from "./webhook-support.ts";

const DAY = 24 * 3_600_000;

// The library asks the machine what time it is.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** What the library says to the last that was sent. */
function verified(world: Receiving, secret: string, change: (body: string) => string = body => body): boolean {
  const last = world.heard.at(-1);
  vi.setSystemTime(last?.at ?? 0);
  try {
    new Verifier(secret).verify(change(last?.body ?? ""), last?.headers ?? {});
    return true;
  } catch {
    return false;
  }
}

const signatures = (world: Receiving): string[] => world.heard.at(-1)?.headers["webhook-signature"]?.split(" ") ?? [];

test("the reference library takes what is sent with one webhook's secret, and not with another's", async () => {
  const world = receiving();
  const { secret } = await made(world);
  const { secret: another } = await made(world, { events: ["cluster.ready"] }, "another");
  await happens(world, { message: "größer & <besser> 日本" });
  expect(world.heard).toHaveLength(1);
  expect([verified(world, secret), verified(world, another)]).toEqual([true, false]);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});

test("a body that was changed, or kept for long, is not taken", async () => {
  const world = receiving();
  const { secret } = await made(world);
  await happens(world);
  expect(verified(world, secret)).toBe(true);
  expect(verified(world, secret, body => body.replace("succeeded", "failed"))).toBe(false);
  const [last] = world.heard;
  world.heard.push({ ...last!, at: last!.at + 6 * 60_000 });
  expect(verified(world, secret)).toBe(false);
  world.heard.push({ ...last!, headers: { ...last!.headers, "webhook-id": "msg_another" } });
  expect(verified(world, secret)).toBe(false);
});

test("for a day after a rotation both secrets sign, then the new one alone", async () => {
  const world = receiving();
  const { secret: before } = await made(world);
  const { secret: after } = await rotate(world, ADMIN, NAME);
  await happens(world);
  expect(signatures(world)).toHaveLength(2);
  expect([verified(world, before), verified(world, after)]).toEqual([true, true]);
  world.clock.pass(DAY - 1);
  await happens(world);
  expect([verified(world, before), verified(world, after)]).toEqual([true, true]);
  world.clock.pass(1);
  await happens(world);
  expect(signatures(world)).toHaveLength(1);
  expect([verified(world, before), verified(world, after)]).toEqual([false, true]);
});

test("a secret that somebody else has signs no more at once", async () => {
  const world = receiving();
  const { secret: before } = await made(world);
  const { secret: after } = await rotate(world, ADMIN, NAME, { now: true });
  await happens(world);
  expect([verified(world, before), verified(world, after)]).toEqual([false, true]);
});

test("no secret stands in the table, nor in what is sent", async () => {
  const world = receiving();
  const { secret } = await made(world);
  const { secret: after } = await rotate(world, ADMIN, NAME);
  await happens(world);
  const stored = JSON.stringify(world.changes);
  for (const text of [secret, after].map(one => one.slice("whsec_".length))) {
    expect(stored).not.toContain(text);
    expect(stored).not.toContain(Buffer.from(text, "base64").toString("hex"));
    expect(JSON.stringify(world.heard)).not.toContain(text);
  }
});
