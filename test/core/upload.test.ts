/** Uploads: what is here need not be sent again. Ran against blobs in memory. */
import { create } from "@muster/core/upload/create.ts";
import { blobKey } from "@muster/core/upload/upload.ts";
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
  const ask = async (size = 5) => (await create({ ...world, blobs }, ADA, { sha256, size })).exists;
  expect([await ask(), await ask(6)]).toEqual([true, false]);
  world.clock.pass(59 * DAY);
  expect(await ask()).toBe(true);
  world.clock.pass(2 * DAY);
  expect(await ask()).toBe(false);
});
