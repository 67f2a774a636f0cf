/** Ran against: the local Digest and Random, on node:crypto. What the table's cursors and the blobs' grants rest on. */
import { createHash } from "node:crypto";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { expect, test } from "vitest";

const key = "k".repeat(32);

test("a hash is SHA-256 in hex", () => {
  expect(createDigest(key).hash("é")).toBe(createHash("sha256").update("é").digest("hex"));
});

test("a mac differs with key, purpose and text, and with where one ends and the next begins", () => {
  const digest = createDigest(key);
  const macs = [
    digest.mac("a", "b"),
    digest.mac("a", "c"),
    digest.mac("ab", ""),
    digest.mac("", "ab"),
    createDigest("l".repeat(32)).mac("a", "b"),
  ];
  expect(new Set(macs).size).toBe(macs.length);
  for (const mac of macs) expect(mac).toMatch(/^[0-9a-f]{64}$/);
  expect(createDigest(Buffer.from(key)).mac("a", "b")).toBe(macs[0]);
});

test("comparison takes texts of any lengths", () => {
  const { same } = createDigest(key);
  expect([same("", ""), same("é", "é"), same("a", ""), same("a", "aa"), same("a", "b")]).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("a short key is refused", () => {
  expect(() => createDigest("short")).toThrow("it needs 32");
});

test("ids increase even when the clock stands still or goes back, and secrets are 64 hex digits", () => {
  let time = 1_800_000_000_000;
  const random = createRandom({ now: () => time-- });
  const ids = Array.from({ length: 1000 }, () => random.ulid());
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(random.secret()).toMatch(/^[0-9a-f]{64}$/);
  expect(random.secret()).not.toBe(random.secret());
});
