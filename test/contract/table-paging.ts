/** The Table contract: pages that neither skip nor repeat, and cursors that are good for one query only. */
import type { Range, Write } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import { add, type Bench, byBytes, draft, drain, pages, sortKeys } from "./table-subject.ts";

const invalid = expect.objectContaining({ code: "invalid_request" });
const name = (n: number) => `N#${String(n).padStart(5, "0")}`;

export function pagingContract(bench: () => Bench): void {
  sizes(bench);
  stability(bench);
  cursors(bench);
}

/** A partition of `count` items, all in the list index under the same partition key. */
async function filled({ table, partition, caughtUp }: Bench, count: number, indexSort = name): Promise<string> {
  const pk = partition();
  const puts = Array.from({ length: count }, (_, n): Write => {
    const indexes = { list: { pk, sk: indexSort(n) } };
    return { put: draft({ pk, sk: name(n) }, { n }, { indexes }), expect: "absent" };
  });
  for (let at = 0; at < count; at += 100) await table.write(puts.slice(at, at + 100));
  await caughtUp();
  return pk;
}

const bothWays = (pk: string) => [{ pk }, { pk, index: "list" } as const];

function sizes(bench: () => Bench): void {
  test("a page has 100 items when nothing is said, at most 1000, and as many as asked", async () => {
    const pk = await filled(bench(), 1005);
    for (const query of bothWays(pk)) {
      const sizesOf = async (limit?: number, most = 1) => {
        const asked = { ...query, ...(limit !== undefined && { limit }) };
        return (await pages(bench().table, asked, undefined, most)).map(page => page.length);
      };
      expect(await sizesOf()).toEqual([100]);
      expect(await sizesOf(1000, 3)).toEqual([1000, 5]);
      expect(await sizesOf(7, 3)).toEqual([7, 7, 7]);
    }
  });

  test.each([0, -1, 1001, 1.5, Number.NaN])("a limit of %d is refused", async limit => {
    const { table, partition } = bench();
    await expect(table.query({ pk: partition(), limit })).rejects.toEqual(invalid);
    await expect(table.query({ pk: partition(), limit, index: "list" })).rejects.toEqual(invalid);
  });

  test("pages of any size, either way and within any range, add up to the whole", async () => {
    const pk = await filled(bench(), 30);
    const ranges: Range[] = [
      {},
      { prefix: "N#0000" },
      { prefix: "N#0001" },
      { upTo: name(17) },
      { prefix: "N#0001", upTo: name(15) },
    ];
    const orders = ["ascending", "descending"] as const;
    const queries = bothWays(pk).flatMap(query =>
      ranges.flatMap(range => orders.map(order => ({ ...query, ...range, order }))),
    );
    for (const query of queries) {
      const whole = await drain(bench().table, { ...query, limit: 1000 });
      expect(whole.length).toBeGreaterThan(0);
      for (const limit of [1, 2, 3, 5, 29, 30, 31])
        expect(await drain(bench().table, { ...query, limit })).toEqual(whole);
    }
  });

  test("items with the same index key are paged without loss", async () => {
    const pk = await filled(bench(), 25, n => (n < 20 ? "SAME" : "TOO"));
    for (const order of ["ascending", "descending"] as const)
      for (const limit of [1, 2, 7, 20]) {
        const found = await drain(bench().table, { pk, index: "list", order, limit });
        expect(sortKeys(found).toSorted(byBytes)).toEqual(Array.from({ length: 25 }, (_, n) => name(n)));
        const keys = found.map(item => item.indexes?.list?.sk ?? "");
        expect(keys).toEqual(order === "ascending" ? keys.toSorted() : keys.toSorted().toReversed());
      }
  });
}

function stability(bench: () => Bench): void {
  test.each(["ascending", "descending"] as const)(
    "%s pages are not disturbed by items that come and go",
    async order => {
      const { table, caughtUp } = bench();
      const pk = await filled(bench(), 20);
      for (const query of bothWays(pk)) {
        let round = 0;
        const disturb = async () => {
          round++;
          // Around every place where the page may have ended, and the very item at which it did.
          const added = [`M#${round}`, `O#${round}`].map(sk =>
            draft({ pk, sk }, {}, { indexes: { list: { pk, sk } } }),
          );
          await table.write(added.map(put => ({ put, expect: "absent" })));
          const last = name(order === "ascending" ? 3 * round - 1 : 20 - 3 * round);
          const item = await table.get({ pk, sk: last });
          if (item !== undefined) await table.write([{ remove: item, expect: item.version }]);
          await caughtUp();
        };
        const found = sortKeys(await drain(table, { ...query, order, limit: 3, prefix: "N#" }, disturb));
        const all = Array.from({ length: 20 }, (_, n) => name(n));
        expect(found).toEqual(order === "ascending" ? all : all.toReversed());
        await restore(table, pk, all);
        await caughtUp();
      }
    },
  );

  async function restore(table: Bench["table"], pk: string, all: readonly string[]): Promise<void> {
    for (const item of await drain(table, { pk }))
      if ("version" in item) await table.write([{ remove: item, expect: item.version }]);
    for (const sk of all) await add(table, { pk, sk }, {}, { indexes: { list: { pk, sk } } });
  }

  test("items added behind the cursor are seen, those before it are not", async () => {
    const { table } = bench();
    const pk = await filled(bench(), 4);
    const first = await table.query({ pk, limit: 2 });
    for (const sk of ["N#00000x", "N#00001x", "N#00009"]) await add(table, { pk, sk });
    const { items } = await table.query({ pk, ...(first.cursor !== undefined && { cursor: first.cursor }) });
    expect(sortKeys(items)).toEqual(["N#00001x", "N#00002", "N#00003", "N#00009"]);
  });
}

function cursors(bench: () => Bench): void {
  const ask = ({ index, ...query }: Range & { pk: string; index?: "list" }) =>
    index === undefined ? bench().table.query(query) : bench().table.query({ ...query, index });
  const cursorOf = async (query: Range & { pk: string; index?: "list" }) => {
    const page = await ask({ ...query, limit: 2 });
    expect(page.cursor).toBeTypeOf("string");
    return page.cursor ?? "";
  };

  test("a cursor is opaque: letters that need no escaping in a URL", async () => {
    const pk = await filled(bench(), 4);
    for (const query of bothWays(pk)) expect(await cursorOf(query)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  test("a cursor may be used twice, and with another page size", async () => {
    const { table } = bench();
    const pk = await filled(bench(), 6);
    const cursor = await cursorOf({ pk });
    const rest = [name(2), name(3), name(4), name(5)];
    expect(sortKeys((await table.query({ pk, cursor, limit: 1 })).items)).toEqual(rest.slice(0, 1));
    expect(sortKeys((await table.query({ pk, cursor, limit: 1000 })).items)).toEqual(rest);
  });

  test("forged, truncated and altered cursors are refused", async () => {
    const pk = await filled(bench(), 4);
    for (const query of bothWays(pk)) {
      const cursor = await cursorOf(query);
      const text = Buffer.from(cursor, "base64url").toString();
      const moved = Buffer.from(text.replaceAll(name(1), name(0))).toString("base64url");
      const altered = Array.from(
        cursor,
        (char, n) => cursor.slice(0, n) + (char === "A" ? "B" : "A") + cursor.slice(n + 1),
      );
      const truncated = Array.from(cursor, (_, n) => cursor.slice(0, n));
      const json = (value: unknown) => Buffer.from(JSON.stringify(value) ?? "").toString("base64url");
      const forged = [
        "x",
        "🚀",
        "null",
        `${cursor}A`,
        `${cursor}=`,
        ` ${cursor}`,
        moved,
        json(null),
        json({}),
        json({ at: 1 }),
        json({ at: { sk: 1 } }),
        json({ at: { sk: name(0) }, mac: "" }),
      ];
      for (const wrong of [...forged, ...altered, ...truncated])
        await expect(ask({ ...query, cursor: wrong })).rejects.toEqual(invalid);
    }
  });

  test("a cursor of another query is refused", async () => {
    const { table, partition } = bench();
    const pk = await filled(bench(), 4);
    const range = { prefix: "N#", upTo: "N#9" };
    const cursor = await cursorOf({ pk, ...range });
    expect(sortKeys((await table.query({ pk, ...range, order: "ascending", cursor })).items)).toEqual([
      name(2),
      name(3),
    ]);
    const others: (Range & { pk: string })[] = [
      { pk: partition(), ...range },
      { pk, prefix: "N#" },
      { pk, upTo: "N#9" },
      { pk, ...range, prefix: "N#0" },
      { pk, ...range, upTo: "N#8" },
      { pk, ...range, order: "descending" },
      { pk },
    ];
    for (const other of others) await expect(table.query({ ...other, cursor })).rejects.toEqual(invalid);
    await expect(table.query({ pk, ...range, index: "list", cursor })).rejects.toEqual(invalid);
    const seen = await cursorOf({ pk, index: "list" });
    await expect(table.query({ pk, cursor: seen })).rejects.toEqual(invalid);
    await expect(table.query({ pk, index: "due", cursor: seen })).rejects.toEqual(invalid);
  });
}
