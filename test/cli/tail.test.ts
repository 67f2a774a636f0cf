/** The last lines of a log: the CLI's own code over core's own pages, of blobs in memory; of long logs these are made as they are asked for. */
import * as Attempt from "@muster/core/attempt/attempt.ts";
import { MusterError } from "@muster/core/error.ts";
import { logs } from "@muster/core/job/logs.ts";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { type Chunk, follow } from "../../packages/cli/src/follow.ts";
import { type Tailable, tail } from "../../packages/cli/src/tail.ts";
import { ID, Logged, timedBlobs } from "../support/logged.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

let world: TestWorld;
beforeEach(() => {
  const made = testWorld();
  world = { ...made, blobs: timedBlobs(made.clock.now).blobs };
});

/** Core's own pages. */
function sourceOf(world: TestWorld, read: (key: string) => Promise<Uint8Array | undefined>) {
  const asked = { pages: 0, reads: 0, bytes: 0 };
  const page = (query: { cursor?: string | undefined; last?: number }) => {
    asked.pages++;
    return logs(world, ADA, ID, { ...query, follow: false });
  };
  const source: Tailable = {
    page: cursor => page({ cursor }),
    last: bytes => page({ last: bytes }),
    read: async chunk => {
      const bytes = (await read(chunk.url.slice("memory:".length))) ?? new Uint8Array();
      asked.reads++;
      asked.bytes += bytes.length;
      return bytes;
    },
  };
  return { source, asked };
}

/** What the last lines are, by rank. */
async function lastOf(source: Tailable, lines: number): Promise<Map<number, string>> {
  const got = new Map<number, string>();
  const write = async ({ rank }: Chunk, bytes: Uint8Array) =>
    void got.set(rank, (got.get(rank) ?? "") + Buffer.from(bytes));
  await follow(tail(source, lines), { write }, { follow: false });
  return got;
}

/** The last lines of a text, as `tail -n` takes them. */
const linesOf = (text: string, lines: number): string => {
  const all = text.split(/(?<=\n)/);
  return lines === 0 ? "" : all.slice(-lines).join("");
};

test("are those of each node, whatever the chunks, and whether or not the last is ended", async () => {
  const piece = fc.constantFrom("a", "b\n", "\n", "long line\n", "\n\n", "c\nd", "x".repeat(9000));
  const printed = fc.array(fc.tuple(fc.nat(1), piece), { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(printed, fc.nat(6), async (parts, lines) => {
      const made = testWorld();
      const mine = { ...made, blobs: timedBlobs(made.clock.now).blobs };
      const job = await new Logged(mine, 2).submit();
      await job.place();
      for (const [rank, text] of parts) await job.print(text, { rank });
      const got = await lastOf(sourceOf(mine, mine.blobs.get).source, lines);
      for (const rank of [0, 1]) expect(got.get(rank) ?? "").toBe(linesOf(job.printed.get(`1/${rank}`) ?? "", lines));
    }),
    { numRuns: 150 },
  );
});

test("what comes after them follows, and a failed read costs nothing", async () => {
  const job = await new Logged(world).submit();
  await job.place();
  for (let line = 0; line < 50; line++) await job.print(`${line}\n`);
  const { source } = sourceOf(world, world.blobs.get);
  const faults = { left: 3 };
  const shaky: Tailable = {
    ...source,
    read: async chunk => {
      if (faults.left-- > 0) throw new MusterError("unavailable", "cut");
      return source.read(chunk);
    },
  };
  const got: string[] = [];
  const write = async (_: Chunk, bytes: Uint8Array) => {
    got.push(String(Buffer.from(bytes)));
    if (got.length === 2) {
      await job.print("50\n");
      await job.succeed();
    }
  };
  await follow(tail(shaky, 2), { write }, { follow: true, pace: { busyMs: 0, idleMs: 0, giveUpMs: 10_000 } });
  expect(got).toEqual(["48\n", "49\n", "50\n"]);
});

/** A gigabyte in chunks of 4 KB, each of 64 lines, without keeping it. */
function gigabyte(prefix: string): { blobs: Blobs; asked: { lists: number } } {
  const count = 250_000;
  const asked = { lists: 0 };
  const line = (sequence: number, index: number): string => `${String(sequence * 64 + index).padStart(63, "0")}\n`;
  const numberOf = (key: string): number => Number(key.slice(prefix.length).split(".")[0]);
  return {
    asked,
    blobs: {
      ...timedBlobs(() => 0).blobs,
      get: async key => Buffer.from(Array.from({ length: 64 }, (_, index) => line(numberOf(key), index)).join("")),
      list: async (_, { after = "", limit = 1000 } = {}) => {
        asked.lists++;
        const from = after === "" ? 0 : numberOf(after) + 1;
        return Array.from({ length: Math.max(0, Math.min(limit, count - from)) }, (_, index) => ({
          ...{ key: Attempt.chunkKey(prefix, from + index, "run"), size: 4096, writtenAt: (from + index) * 1000 },
        }));
      },
    },
  };
}

test("of a gigabyte, ten lines take few requests and few bytes, and a hundred thousand no more than they must", async () => {
  const { blobs, asked: listed } = gigabyte(Attempt.logPrefix("acme", ID, 2, 0));
  const large = { ...world, blobs };
  const job = await new Logged(large).submit();
  await job.place();
  await job.succeed();
  for (const [lines, reads, pages, lists] of [
    [10, 1, 1, 40],
    [1000, 16, 1, 40],
    [100_000, 1563, 10, 60],
  ] as const) {
    listed.lists = 0;
    const { source, asked } = sourceOf(large, blobs.get);
    const got = (await lastOf(source, lines)).get(0) ?? "";
    expect(got.length).toBe(lines * 64);
    expect(got.endsWith(`${250_000 * 64 - 1}\n`)).toBe(true);
    expect(asked.reads).toBeLessThanOrEqual(reads);
    expect(asked.pages).toBeLessThanOrEqual(pages);
    expect(listed.lists).toBeLessThanOrEqual(lists);
  }
});
