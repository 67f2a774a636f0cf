/** Uploads: what is here need not be sent again. Ran against blobs in memory. */
import { create } from "@muster/core/upload/create.ts";
import { blobKey, Create, MOST_ITEMS } from "@muster/core/upload/upload.ts";
import { expect, test } from "vitest";
import { ADA, testWorld } from "../support/world.ts";

const DAY = 24 * 3_600_000;
const sha256 = "a".repeat(64);

test("bytes that are here need not be sent, unless the store may soon forget them", async () => {
  const world = testWorld();
  const key = blobKey(ADA.workspace, sha256);
  await world.blobs.put(key, new Uint8Array(5));
  const written = world.clock.now();
  const blobs = {
    ...world.blobs,
    head: async (wanted: string) => {
      const head = await world.blobs.head(wanted);
      return head && { ...head, writtenAt: written };
    },
  };
  const ask = async (size = 5) =>
    (await create({ ...world, blobs }, ADA, { items: [{ sha256, size }] })).items[0]?.exists;
  expect([await ask(), await ask(6)]).toEqual([true, false]);
  world.clock.pass(59 * DAY);
  expect(await ask()).toBe(true);
  world.clock.pass(2 * DAY);
  expect(await ask()).toBe(false);
});

test("each of many is answered in its place, and the store is not asked for all of them at the same time", async () => {
  const world = testWorld();
  const items = Array.from({ length: MOST_ITEMS }, (_, index) => ({
    sha256: index.toString(16).padStart(64, "0"),
    size: index,
  }));
  for (const { sha256, size } of items.filter((_, index) => index % 3 === 0))
    await world.blobs.put(blobKey(ADA.workspace, sha256), new Uint8Array(size));
  const asking = { now: 0, most: 0 };
  const blobs = {
    ...world.blobs,
    head: async (key: string) => {
      asking.most = Math.max(asking.most, ++asking.now);
      const head = await world.blobs.head(key);
      asking.now -= 1;
      return head && { ...head, writtenAt: world.clock.now() };
    },
  };
  const answer = await create({ ...world, blobs }, ADA, { items });
  expect(answer.items.map(item => item.sha256)).toEqual(items.map(item => item.sha256));
  expect(answer.items.map(item => item.exists)).toEqual(items.map((_, index) => index % 3 === 0));
  expect(answer.items.every(item => item.exists === (item.post === undefined))).toBe(true);
  expect(asking.most).toBeGreaterThan(1);
  expect(asking.most).toBeLessThanOrEqual(32);
});

test("a call asks for one upload at least, and for no more than its page holds", () => {
  const of = (count: number) => Create.safeParse({ items: Array.from({ length: count }, () => ({ sha256, size: 1 })) });
  expect([0, 1, MOST_ITEMS, MOST_ITEMS + 1].map(count => of(count).success)).toEqual([false, true, true, false]);
});
