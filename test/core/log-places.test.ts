/** Places in long logs, against a plain search; and how many lists it takes to find them. Pure functions over lists in memory. */
import type { Head, List } from "@muster/core/log/chunks.ts";
import { choose, orderOf } from "@muster/core/log/phases.ts";
import { back, seek } from "@muster/core/log/seek.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const SECOND = 1000;

/** A store of `count` chunks, of which the first `gone` have outlived their time. */
function store(count: number, { gone = 0, size = () => 10, phase = () => "run" }: Partial<Making> = {}) {
  const asked = { lists: 0 };
  const head = (sequence: number): Head => {
    const name = phase(sequence);
    return {
      sequence,
      phase: name,
      order: orderOf(name),
      size: size(sequence),
      at: sequence * SECOND,
      key: `${sequence}`,
    };
  };
  const list: List = async (from, limit) => {
    asked.lists++;
    const begin = Math.max(from, gone);
    return Array.from({ length: Math.max(0, Math.min(limit, count - begin)) }, (_, index) => head(begin + index));
  };
  return { list, asked, head };
}
interface Making {
  readonly gone: number;
  readonly size: (sequence: number) => number;
  readonly phase: (sequence: number) => string;
}

const counts = fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(100_000));

describe("seek", () => {
  test("finds the first chunk of a time, or the end, in a log of any length", async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.nat(120_000), fc.nat(4000), async (count, since, lost) => {
        const gone = Math.min(lost, count);
        const { list } = store(count, { gone });
        const found = await seek(list, head => head.at >= since * SECOND);
        // With nothing there at all, the log begins at its beginning.
        const end = gone === count ? 0 : count;
        expect(found).toBe(since >= end ? end : Math.max(gone, since));
      }),
      { numRuns: 300 },
    );
  });

  test("misses none at the edges of its steps", async () => {
    for (let edge = 1000; edge <= 12_000; edge += 1000)
      for (let since = edge - 2; since <= edge + 2; since++) {
        const { list } = store(20_000);
        expect(await seek(list, head => head.at >= since * SECOND)).toBe(since);
      }
  });

  test("takes 40 lists at most in a million chunks, and one in a short log", async () => {
    for (const since of [0, 1, 500_000, 999_999, 2_000_000]) {
      const { list, asked } = store(1_000_000);
      await seek(list, head => head.at >= since * SECOND);
      expect(asked.lists).toBeLessThanOrEqual(40);
    }
    const { list, asked } = store(999);
    await seek(list, () => false);
    expect(asked.lists).toBe(1);
  });
});

describe("back", () => {
  test("goes back as far as the bytes ask for, and no further than the beginning", async () => {
    const sizes = fc.array(fc.nat(50), { maxLength: 3000, size: "max" });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(60_000), fc.nat(10), async (all, bytes, from) => {
        const { list } = store(all.length, { size: sequence => all[sequence] ?? 0 });
        const begin = Math.min(from, all.length);
        const found = await back(list, begin, all.length, bytes);
        const sum = (place: number) => all.slice(place).reduce((total, size) => total + size, 0);
        expect(found === begin || sum(found) >= bytes).toBe(true);
        if (found < all.length) expect(sum(found + 1)).toBeLessThan(Math.max(bytes, 1));
      }),
      { numRuns: 200 },
    );
  });

  test("the end of a gigabyte is found by its end", async () => {
    const { list, asked } = store(250_000, { size: () => 4096 });
    const end = await seek(list, () => false);
    expect(await back(list, 0, end, 16_384)).toBe(249_996);
    expect(asked.lists).toBeLessThanOrEqual(30);
  });
});

test("a choice of phases knows the first and the last of them, and one that nobody knows is taken for the run", () => {
  expect(choose(["muster", "setup"])).toMatchObject({ first: orderOf("setup"), last: orderOf("muster") });
  expect(orderOf("something new")).toBe(orderOf("run"));
  expect(choose(undefined).has("something new")).toBe(true);
});
