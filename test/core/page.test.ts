/** Filtered pages over a list of numbers, with the readings counted. */
import { filtered } from "@muster/core/page.ts";
import { Unreadable } from "@muster/core/record.ts";
import { expect, test } from "vitest";

/** A list of this many numbers, and the sizes of the pages that were asked for. */
function numbers(count: number) {
  const sizes: number[] = [];
  const read = async (cursor: string | undefined, limit: number) => {
    sizes.push(limit);
    const from = Number(cursor ?? 0);
    const items = Array.from({ length: Math.min(limit, count - from) }, (_, index) => from + index);
    return { items, ...(from + limit < count && { cursor: String(from + limit) }) };
  };
  return { read, sizes };
}

const every = (step: number) => (item: number) => (item % step === step - 1 ? item : undefined);

test("a list that leaves nothing out is read once, with the page's size", async () => {
  const { read, sizes } = numbers(1000);
  expect(await filtered(read, 20, undefined, item => item)).toMatchObject({ cursor: "20" });
  expect(sizes).toEqual([20]);
});

test("a page of one in a list that leaves most out takes few readings", async () => {
  const { read, sizes } = numbers(1000);
  expect(await filtered(read, 1, undefined, every(250))).toEqual({ items: [249], cursor: "301" });
  expect(sizes.length).toBeLessThan(6);
});

test("pages together hold every item once, whatever their size", async () => {
  for (const limit of [1, 3, 7, 100]) {
    const { read } = numbers(500);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await filtered(read, limit, cursor, every(4));
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 125 }, (_, index) => 4 * index + 3));
  }
});

test("a record that cannot be read is left out, and any other failure is not hidden", async () => {
  const { read } = numbers(3);
  const failing = (error: Error) => (item: number) => {
    if (item === 1) throw error;
    return item;
  };
  expect((await filtered(read, 10, undefined, failing(new Unreadable("internal", "new")))).items).toEqual([0, 2]);
  await expect(filtered(read, 10, undefined, failing(new Error("broken")))).rejects.toThrow("broken");
});
