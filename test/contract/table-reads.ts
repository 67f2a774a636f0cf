/** The Table contract: what reads see, in which order, and that values come back as they were given. */
import { INDEXES, type Key, type Write } from "@muster/core/ports/table.ts";
import { describe, expect, expectTypeOf, test } from "vitest";
import { add, type Bench, byBytes, draft, drain, sortKeys } from "./table-subject.ts";

export function readContract(bench: () => Bench): void {
  strong(bench);
  indexes(bench);
  ranges(bench);
  values(bench);
}

function strong(bench: () => Bench): void {
  test("get and base queries see every write that was answered", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    expect(await table.get(key)).toBeUndefined();
    expect(await table.query({ pk: key.pk })).toEqual({ items: [] });
    for (let n = 0; n < 10; n++) {
      await table.write([{ put: draft(key, { n }), expect: n === 0 ? "absent" : n }]);
      const item = { ...draft(key, { n }), version: n + 1 };
      expect(await table.get(key)).toEqual(item);
      expect(await table.query({ pk: key.pk })).toEqual({ items: [item] });
    }
    await table.write([{ remove: key, expect: 10 }]);
    expect(await table.query({ pk: key.pk })).toEqual({ items: [] });
  });

  test("a query sees its own partition only", async () => {
    const { table, partition } = bench();
    const pk = partition();
    for (const other of [pk, `${pk}#`, pk.slice(0, -1)]) await add(table, { pk: other, sk: "A" }, { other });
    expect((await table.query({ pk })).items.map(item => item.data)).toEqual([{ other: pk }]);
  });
}

function indexes(bench: () => Bench): void {
  describe.each(INDEXES)("index %s", index => {
    test("shows items by its own key, whole but without their version", async () => {
      const { table, partition, caughtUp } = bench();
      const [key, seen, other] = [partition(), partition(), partition()].map(pk => ({ pk, sk: "A" }));
      if (!key || !seen || !other) throw new Error("unreachable");
      const written = { indexes: { [index]: { pk: seen.pk, sk: "I" } }, expiresAt: 3_000_000_000_000 };
      await add(table, key, { n: 1 }, written);
      await add(table, other);
      await caughtUp();
      const { items } = await table.query({ pk: seen.pk, index });
      expect(items).toEqual([draft(key, { n: 1 }, written)]);
      expect(items[0]).not.toHaveProperty("version");
      for (const no of INDEXES.filter(name => name !== index))
        expect((await table.query({ pk: seen.pk, index: no })).items).toEqual([]);
      expect((await table.query({ pk: seen.pk })).items).toEqual([]);
    });

    test("follows an item that moves, changes, leaves, or is removed", async () => {
      const { table, partition, caughtUp } = bench();
      const key = { pk: partition(), sk: "A" };
      const [first, second] = [partition(), partition()];
      const see = async () => {
        await caughtUp();
        const found = await Promise.all([first, second].map(pk => table.query({ pk, index })));
        return found.map(page => page.items.map(item => [item.indexes?.[index]?.sk, item.data.n]));
      };
      const put = (n: number, at: Key | undefined): Write => ({
        put: draft(key, { n }, at && { indexes: { [index]: at } }),
        expect: n === 1 ? "absent" : n - 1,
      });
      await table.write([put(1, { pk: first, sk: "1" })]);
      expect(await see()).toEqual([[["1", 1]], []]);
      await table.write([put(2, { pk: first, sk: "1" })]);
      expect(await see()).toEqual([[["1", 2]], []]);
      await table.write([put(3, { pk: first, sk: "2" })]);
      expect(await see()).toEqual([[["2", 3]], []]);
      await table.write([put(4, { pk: second, sk: "2" })]);
      expect(await see()).toEqual([[], [["2", 4]]]);
      await table.write([put(5, undefined)]);
      expect(await see()).toEqual([[], []]);
      await table.write([put(6, { pk: second, sk: "6" })]);
      expect(await see()).toEqual([[], [["6", 6]]]);
      await table.write([{ remove: key, expect: 6 }]);
      expect(await see()).toEqual([[], []]);
    });
  });

  test("an item is in every index that it names", async () => {
    const { table, partition, caughtUp } = bench();
    const key = { pk: partition(), sk: "A" };
    const keys = { list: { pk: key.pk, sk: "1" }, due: { pk: key.pk, sk: "2" }, link: { pk: key.pk, sk: "3" } };
    await add(table, key, {}, { indexes: keys });
    await caughtUp();
    for (const index of INDEXES)
      expect((await table.query({ pk: key.pk, index, prefix: keys[index].sk })).items).toHaveLength(1);
    expect((await table.get(key))?.indexes).toEqual(keys);
  });

  test("a sighting has no version to write from", () => {
    const { table } = bench();
    const sightings = () => table.query({ pk: "x", index: "list" });
    type Seen = Awaited<ReturnType<typeof sightings>>["items"][number];
    expectTypeOf<Seen>().not.toHaveProperty("version");
    // @ts-expect-error: a sighting has no version.
    const write = (seen: Seen): Write => ({ remove: seen, expect: seen.version });
    expect(write).toBeTypeOf("function");
  });
}

const SORT_KEYS = [
  "a",
  "a#1",
  "a#10",
  "a#2",
  "a#é",
  "a#\u{10ffff}",
  "a#\u{10ffff}z",
  "a$",
  "aa",
  "b",
  "A",
  "É",
  "é",
  "\uffee",
  "\u{1f600}",
  "%",
  "_",
];

function ranges(bench: () => Bench): void {
  const filled = async () => {
    const { table, partition, caughtUp } = bench();
    const pk = partition();
    const put = (sk: string): Write => ({
      put: draft({ pk, sk }, {}, { indexes: { due: { pk, sk } } }),
      expect: "absent",
    });
    await table.write(SORT_KEYS.map(put));
    await caughtUp();
    return { table, pk };
  };
  const sorted = SORT_KEYS.toSorted(byBytes);

  test("items are in order of the bytes of their sort keys, either way", async () => {
    const { table, pk } = await filled();
    for (const query of [{ pk }, { pk, index: "due" } as const]) {
      expect(sortKeys(await drain(table, query))).toEqual(sorted);
      expect(sortKeys(await drain(table, { ...query, order: "ascending" }))).toEqual(sorted);
      expect(sortKeys(await drain(table, { ...query, order: "descending" }))).toEqual(sorted.toReversed());
    }
  });

  test("a prefix is taken literally, and has exactly what begins with it", async () => {
    const { table, pk } = await filled();
    for (const prefix of [...SORT_KEYS, "a#1000", "\u{1f601}", "zz"]) {
      const expected = sorted.filter(sk => sk.startsWith(prefix));
      for (const query of [{ pk }, { pk, index: "due" } as const]) {
        expect(sortKeys(await drain(table, { ...query, prefix }))).toEqual(expected);
        const down = await drain(table, { ...query, prefix, order: "descending" });
        expect(sortKeys(down)).toEqual(expected.toReversed());
      }
    }
  });

  test("upTo has everything up to and including it, within a prefix too", async () => {
    const { table, pk } = await filled();
    for (const upTo of [...SORT_KEYS, "a#15", "\u{10ffff}"]) {
      const expected = sorted.filter(sk => byBytes(sk, upTo) <= 0);
      for (const query of [{ pk }, { pk, index: "due" } as const]) {
        expect(sortKeys(await drain(table, { ...query, upTo }))).toEqual(expected);
        const within = await drain(table, { ...query, upTo, prefix: "a#" });
        expect(sortKeys(within)).toEqual(expected.filter(sk => sk.startsWith("a#")));
      }
    }
  });
}

function values(bench: () => Bench): void {
  const given: Record<string, unknown> = {
    text: "plain",
    empty: "",
    unicode: "Ωmega 漢字 🚀 e\u0301 \u0000 \u2028 ' \" \\ `",
    zero: 0,
    negative: -1,
    fraction: 0.1,
    small: 1.5e-7,
    large: Number.MAX_SAFE_INTEGER,
    largeNegative: Number.MIN_SAFE_INTEGER,
    time: 1_800_000_000_123,
    yes: true,
    no: false,
    nothing: null,
    list: [1, "two", null, [], {}, [[3]], { four: [] }],
    object: { a: { b: { c: { "": "empty name", "d.e": 1, $f: 2, "#g": 3, ":h": 4 } } } },
    emptyList: [],
    emptyObject: {},
    deep: Array.from({ length: 20 }).reduce<unknown>(inner => ({ inner }), "bottom"),
  };

  test("values come back as they were given, from every kind of read", async () => {
    const { table, partition, caughtUp } = bench();
    const key = { pk: partition(), sk: "A" };
    await add(table, key, given, { indexes: { link: key } });
    await caughtUp();
    expect((await table.get(key))?.data).toStrictEqual(given);
    expect((await table.query({ pk: key.pk })).items[0]?.data).toStrictEqual(given);
    expect((await table.query({ pk: key.pk, index: "link" })).items[0]?.data).toStrictEqual(given);
  });

  test("fields that no schema knows are kept, also those named like the table's own", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    const data = { pk: "x", sk: "y", version: 99, type: "z", data: 1, expiresAt: 1, list_pk: "q", future: { a: [1] } };
    await add(table, key, data);
    expect(await table.get(key)).toEqual({ ...draft(key, data), version: 1 });
  });

  test("undefined fields are left out", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    await add(table, key, { a: undefined, b: { c: undefined, d: 1 } });
    expect((await table.get(key))?.data).toStrictEqual({ b: { d: 1 } });
  });

  test("what was read or written can be changed without changing the table", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    const data = { list: [1] };
    await add(table, key, data);
    data.list.push(2);
    const list = (await table.get(key))?.data.list;
    if (Array.isArray(list)) list.push(3);
    expect((await table.get(key))?.data).toEqual({ list: [1] });
  });

  test("keys may be long, and of any characters", async () => {
    const { table, partition, caughtUp } = bench();
    const pk = `${partition()}${"長".repeat(600)}`;
    const keys = ["漢".repeat(341), `\u{1f600}${"x".repeat(1020)}`, "a/b c?d=e&f%20'\"\\", "\n\t", " "];
    await table.write(
      keys.map(sk => ({ put: draft({ pk, sk }, { sk }, { indexes: { list: { pk, sk } } }), expect: "absent" })),
    );
    await caughtUp();
    for (const sk of keys) expect((await table.get({ pk, sk }))?.data).toEqual({ sk });
    const expected = keys.toSorted(byBytes);
    expect(sortKeys(await drain(table, { pk, limit: 2 }))).toEqual(expected);
    expect(sortKeys(await drain(table, { pk, limit: 2, index: "list" }))).toEqual(expected);
  });
}
