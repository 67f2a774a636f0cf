/** Delivering anew, trying a webhook out, and how long deliveries are kept; over SQLite in memory with a clock of the test's. */
import { disable } from "@muster/core/webhook/enable.ts";
import { replay, test as tryOut } from "@muster/core/webhook/replay.ts";
import { expect, test } from "vitest";
import { ADMIN, happens, listOf, made, NAME, passAll, receiving } from "./webhook-support.ts";

const HOUR = 3_600_000;

test("a dead one is replayed with the same id and all its tries", async () => {
  const world = receiving();
  await made(world);
  world.says({ status: 500 });
  await happens(world);
  await passAll(world);
  const [dead] = await listOf(world);
  world.says({ status: 500 }, {});
  const replayed = await replay(world, ADMIN, NAME, dead?.id ?? "");
  expect(replayed).toMatchObject({ id: dead?.id, tries: 0, replayedBy: ADMIN.id });
  await passAll(world);
  expect(world.heard).toHaveLength(12);
  expect(new Set(world.heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect((await listOf(world))[0]).toMatchObject({ outcome: "delivered", tries: 2 });
});

test("a disabled webhook is neither tried out nor replayed", async () => {
  const world = receiving();
  await made(world);
  await happens(world);
  const [{ id } = { id: "" }] = await listOf(world);
  await disable(world, ADMIN, NAME);
  await expect(replay(world, ADMIN, NAME, id)).rejects.toMatchObject({ code: "conflict" });
  await expect(tryOut(world, ADMIN, NAME)).rejects.toMatchObject({ code: "conflict" });
});

test("it is tried out once, whatever it asks for", async () => {
  const world = receiving();
  await made(world, { events: ["job.failed"] });
  world.says({ status: 500 });
  const { id } = await tryOut(world, ADMIN, NAME);
  await passAll(world);
  expect(world.heard).toHaveLength(1);
  expect(JSON.parse(world.heard[0]?.body ?? "").type).toBe("webhook.test");
  expect((await listOf(world))[0]).toMatchObject({ id, outcome: "dead", isTest: true });
});

test("deliveries are kept for 30 days after their last change", async () => {
  const world = receiving();
  await made(world);
  await happens(world);
  world.clock.pass(30 * 24 * HOUR - 1);
  expect(await listOf(world)).toHaveLength(1);
  world.clock.pass(2);
  expect(await listOf(world)).toEqual([]);
});
