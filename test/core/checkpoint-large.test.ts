/** Checkpoints of very many files, of which few change: what is not needed any more goes, though all that is needed stands before it. Blobs are in memory. */
import { listOf, newest, rootOf } from "@muster/core/checkpoint/checkpoint.ts";
import { prune } from "@muster/core/checkpoint/prune.ts";
import { endKey, partKey } from "@muster/core/output/manifest.ts";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import { expect, test } from "vitest";
import { memoryBlobs } from "../support/world.ts";

const MANY = 20_500;
const root = rootOf("acme", "job_00000000000000000000000000", 0);
const sha256 = "ab".repeat(32);

/** Keys are sorted once: there are too many for a sort with every list. */
function sortedBlobs(): Blobs & { keys(): string[] } {
  const held = new Map<string, Uint8Array>();
  let sorted: string[] | undefined;
  const keys = (): string[] => (sorted ??= [...held.keys()].sort());
  return {
    ...memoryBlobs(),
    keys,
    put: async (key, bytes) => {
      held.set(key, bytes);
      sorted = undefined;
    },
    get: async key => held.get(key),
    remove: async key => {
      held.delete(key);
      sorted = undefined;
    },
    list: async (prefix, { after = "", limit = 1000 } = {}) =>
      keys()
        .filter(key => key.startsWith(prefix) && key > after)
        .slice(0, limit)
        .map(key => ({ key, size: 1, writtenAt: 0 })),
  };
}

const fileKey = (number: number, name: string): string => `00000001/files/${String(number).padStart(8, "0")}/${name}`;

/** A generation: all files of the first, and one of its own. */
async function generation(blobs: ReturnType<typeof sortedBlobs>, number: number): Promise<void> {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const names = Array.from({ length: MANY }, (_, index) => fileKey(1, `f${index}`));
  if (number === 22) for (const name of names) await blobs.put(`${root}${name}`, bytes("x"));
  await blobs.put(`${root}${fileKey(number, "w")}`, bytes("x"));
  const keys = [...names, fileKey(number, "w")];
  const list = listOf(root, { fence: 1, number });
  const line = (key: string) =>
    JSON.stringify({ path: key, size: 1, mode: 0o644, mtime: 1, sha256, pieces: [{ key, size: 1 }] });
  const parts = Math.ceil(keys.length / 500);
  for (let part = 0; part < parts; part++)
    await blobs.put(
      partKey(list, part),
      bytes(
        keys
          .slice(part * 500, (part + 1) * 500)
          .map(line)
          .join("\n"),
      ),
    );
  await blobs.put(endKey(list), bytes(JSON.stringify({ parts, files: keys.length, bytes: keys.length, failed: 0 })));
}

test("what changes is not kept for ever, and the newest state is found", async () => {
  const blobs = sortedBlobs();
  for (let number = 22; number <= 25; number++) await generation(blobs, number);
  for (let number = 26; number <= 27; number++) {
    await generation(blobs, number);
    await prune(blobs, root);
  }
  const own = blobs.keys().filter(key => key.endsWith("/w"));
  expect(own.at(-1)).toBe(`${root}${fileKey(27, "w")}`);
  expect(own.length).toBeLessThanOrEqual(4);
  expect(blobs.keys().filter(key => key.endsWith("/end")).length).toBeLessThanOrEqual(4);
  expect(blobs.keys().filter(key => /\/f\d+$/.test(key)).length).toBe(MANY);
  expect(await newest(blobs, root, 2)).toEqual([
    { fence: 1, number: 27 },
    { fence: 1, number: 26 },
  ]);
}, 60_000);
