/** The Table contract: what a write does, and what it refuses. */
import { MusterError } from "@muster/core/error.ts";
import { type Expected, MAX_WRITES, type Write, WriteConflict } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { add, type Bench, draft } from "./table-subject.ts";

const code = (value: string) => expect.objectContaining({ code: value });

const conflictOf = async (writing: Promise<void>): Promise<WriteConflict> => {
  const error = await writing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WriteConflict);
  return error as WriteConflict;
};

export function writeContract(bench: () => Bench): void {
  singles(bench);
  transactions(bench);
  conflicts(bench);
  limits(bench);
  expiry(bench);
}

function singles(bench: () => Bench): void {
  test("a put of an absent item has version 1, and each further put counts one up", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    await add(table, key, { n: 0 });
    expect(await table.get(key)).toEqual({ ...draft(key, { n: 0 }), version: 1 });
    for (const version of [1, 2, 3]) {
      await table.write([{ put: draft(key, { n: version }), expect: version }]);
      expect(await table.get(key)).toEqual({ ...draft(key, { n: version }), version: version + 1 });
    }
  });

  test("a put replaces the whole item: fields, indexes and expiry that it does not name are gone", async () => {
    const { table, partition, now } = bench();
    const key = { pk: partition(), sk: "A" };
    await add(table, key, { a: 1, b: 2 }, { indexes: { list: key }, expiresAt: now() + 1e9, type: "old" });
    await table.write([{ put: draft(key, { a: 3 }), expect: 1 }]);
    expect(await table.get(key)).toEqual({ ...draft(key, { a: 3 }), version: 2 });
  });

  test("a removed item is absent, and starts again at version 1", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    await add(table, key);
    await table.write([{ put: draft(key), expect: 1 }]);
    await table.write([{ remove: key, expect: 2 }]);
    expect(await table.get(key)).toBeUndefined();
    await add(table, key);
    expect((await table.get(key))?.version).toBe(1);
  });

  test("a check changes nothing", async () => {
    const { table, partition } = bench();
    const pk = partition();
    await add(table, { pk, sk: "A" });
    await table.write([{ check: { pk, sk: "A" }, expect: 1 }]);
    await table.write([{ check: { pk, sk: "B" }, expect: "absent" }]);
    expect((await table.get({ pk, sk: "A" }))?.version).toBe(1);
    expect(await table.get({ pk, sk: "B" })).toBeUndefined();
  });

  test("of 20 writers of one item exactly one wins", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    for (const expected of ["absent", 1, 2] as const) {
      const race = Array.from({ length: 20 }, (_, writer) =>
        table.write([{ put: draft(key, { writer }), expect: expected }]),
      );
      const settled = await Promise.allSettled(race);
      const winner = settled.findIndex(result => result.status === "fulfilled");
      const lost = settled.filter(result => result.status === "rejected");
      expect(lost).toHaveLength(19);
      for (const loser of lost) expect(loser.reason).toBeInstanceOf(WriteConflict);
      expect((await table.get(key))?.data).toEqual({ writer: winner });
    }
  });
}

function transactions(bench: () => Bench): void {
  test.each([2, MAX_WRITES])("all of %i items are written, or none", async count => {
    const { table, partition } = bench();
    const keys = Array.from({ length: count }, (_, n) => ({ pk: partition(), sk: `A#${n}` }));
    const last = keys.at(-1) as { pk: string; sk: string };
    await add(table, last, { first: true });
    const all = keys.map((key): Write => ({ put: draft(key), expect: "absent" }));
    await conflictOf(table.write(all));
    const found = await Promise.all(keys.map(key => table.get(key)));
    expect(found.filter(item => item !== undefined)).toEqual([{ ...draft(last, { first: true }), version: 1 }]);
    await table.write([...all.slice(0, -1), { put: draft(last), expect: 1 }]);
    const versions = (await Promise.all(keys.map(key => table.get(key)))).map(item => item?.version);
    expect(versions).toEqual([...keys.slice(1).map(() => 1), 2]);
  });

  test("one transaction may put, remove and check, across partitions", async () => {
    const { table, partition } = bench();
    const [a, b, c] = ["A", "B", "C"].map(sk => ({ pk: partition(), sk }));
    if (!a || !b || !c) throw new Error("unreachable");
    await table.write([
      { put: draft(a), expect: "absent" },
      { put: draft(b), expect: "absent" },
    ]);
    const mixed = (checked: Expected): Write[] => [
      { check: a, expect: checked },
      { remove: b, expect: 1 },
      { put: draft(c), expect: "absent" },
    ];
    await conflictOf(table.write(mixed(7)));
    expect([await table.get(b), await table.get(c)].map(item => item?.version)).toEqual([1, undefined]);
    await table.write(mixed(1));
    expect([await table.get(b), await table.get(c)].map(item => item?.version)).toEqual([undefined, 1]);
  });

  test("transfers between two items by many writers lose nothing", async () => {
    const { table, partition } = bench();
    const pk = partition();
    const [from, to] = [
      { pk, sk: "FROM" },
      { pk, sk: "TO" },
    ];
    await add(table, from, { balance: 20 });
    await add(table, to, { balance: 0 });
    const move = async (): Promise<void> => {
      const [a, b] = [await table.get(from), await table.get(to)];
      if (!a || !b) throw new Error("an item vanished");
      const put = (item: typeof a, by: number): Write => ({
        put: draft(item, { balance: Number(item.data.balance) + by }),
        expect: item.version,
      });
      await table.write([put(a, -1), put(b, 1)]).catch((error: unknown) => {
        if (error instanceof WriteConflict) return move();
        throw error;
      });
    };
    await Promise.all(Array.from({ length: 20 }, move));
    expect((await table.get(from))?.data).toEqual({ balance: 0 });
    expect((await table.get(to))?.data).toEqual({ balance: 20 });
  });
}

function conflicts(bench: () => Bench): void {
  test("a conflict says what was expected and what stood there, for every item that failed", async () => {
    const { table, partition } = bench();
    const pk = partition();
    const item = (sk: string) => draft({ pk, sk }, { name: sk });
    await add(table, item("STANDS"), { name: "STANDS" }, { indexes: { list: { pk, sk: "L" } } });
    await add(table, item("FITS"), { name: "FITS" });
    const { conflicts: found } = await conflictOf(
      table.write([
        { put: item("STANDS"), expect: "absent" },
        { put: item("FITS"), expect: 1 },
        { put: item("MISSING"), expect: 3 },
        { remove: { pk, sk: "MISSING-TOO" }, expect: 1 },
        { check: { pk, sk: "FITS-NOT" }, expect: 2 },
        { put: item("NEW"), expect: "absent" },
      ]),
    );
    const stood = { ...item("STANDS"), indexes: { list: { pk, sk: "L" } }, version: 1 };
    expect(found).toEqual([
      { key: { pk, sk: "STANDS" }, expected: "absent", found: stood },
      { key: { pk, sk: "MISSING" }, expected: 3 },
      { key: { pk, sk: "MISSING-TOO" }, expected: 1 },
      { key: { pk, sk: "FITS-NOT" }, expected: 2 },
    ]);
    expect(await table.get({ pk, sk: "NEW" })).toBeUndefined();
  });

  test.each(["absent", 1, 3] as const)(
    "a single write that expects %s where version 2 stands fails",
    async expected => {
      const { table, partition } = bench();
      const key = { pk: partition(), sk: "A" };
      await add(table, key);
      await table.write([{ put: draft(key, { n: 2 }), expect: 1 }]);
      const found = { ...draft(key, { n: 2 }), version: 2 };
      const writes: Write[] = [
        { put: draft(key), expect: expected },
        { check: key, expect: expected },
        ...(expected === "absent" ? [] : [{ remove: key, expect: expected }]),
      ];
      for (const write of writes)
        expect((await conflictOf(table.write([write]))).conflicts).toEqual([{ key, expected, found }]);
      expect(await table.get(key)).toEqual(found);
    },
  );
}

function limits(bench: () => Bench): void {
  describe.each([0, MAX_WRITES + 1])("%i items", count => {
    test("are refused", async () => {
      const { table, partition } = bench();
      const keys = Array.from({ length: count }, (_, n) => ({ pk: partition(), sk: `A#${n}` }));
      const writing = table.write(keys.map(key => ({ put: draft(key), expect: "absent" })));
      await expect(writing).rejects.toEqual(code("invalid_request"));
      expect(await Promise.all(keys.map(key => table.get(key)))).toEqual(keys.map(() => undefined));
    });
  });

  test("the same item twice is refused, in whatever roles", async () => {
    const { table, partition } = bench();
    const key = { pk: partition(), sk: "A" };
    const put: Write = { put: draft(key), expect: "absent" };
    const twice: Write[][] = [
      [put, put],
      [put, { check: key, expect: "absent" }],
      [{ remove: key, expect: 1 }, put],
    ];
    for (const writes of twice) await expect(table.write(writes)).rejects.toEqual(code("invalid_request"));
    expect(await table.get(key)).toBeUndefined();
  });

  test("items are told apart by both parts of their key", async () => {
    const { table, partition } = bench();
    const pk = partition();
    const keys = [
      { pk: `${pk}#a`, sk: "b" },
      { pk, sk: "#ab" },
      { pk: `${pk}#`, sk: "ab" },
    ];
    await table.write(keys.map((key, n) => ({ put: draft(key, { n }), expect: "absent" })));
    expect((await Promise.all(keys.map(key => table.get(key)))).map(item => item?.data.n)).toEqual([0, 1, 2]);
  });

  test("keys that are empty, too long or no text are refused, in index keys too", async () => {
    const { table, partition } = bench();
    const pk = partition();
    const wrong = [
      { pk, sk: "" },
      { pk: "", sk: "A" },
      { pk, sk: "x".repeat(1025) },
      { pk, sk: "é".repeat(513) },
      { pk: pk + "x".repeat(2048), sk: "A" },
      { pk, sk: "half \ud800" },
    ];
    for (const key of wrong) {
      await expect(add(table, key)).rejects.toEqual(code("invalid_request"));
      await expect(add(table, { pk, sk: "A" }, {}, { indexes: { due: key } })).rejects.toEqual(code("invalid_request"));
    }
    expect(await table.get({ pk, sk: "A" })).toBeUndefined();
  });

  test("an item beyond 400 KB and a write beyond 4 MB are too large, and leave nothing", async () => {
    const { table, partition } = bench();
    const pk = partition();
    const put = (sk: string, bytes: number): Write => ({
      put: draft({ pk, sk }, { text: "x".repeat(bytes) }),
      expect: "absent",
    });
    await expect(table.write([put("A", 1), put("B", 400 * 1024)])).rejects.toEqual(code("too_large"));
    const wide: Write = { put: draft({ pk, sk: "C" }, { text: "é".repeat(210_000) }), expect: "absent" };
    await expect(table.write([wide])).rejects.toEqual(code("too_large"));
    const many = Array.from({ length: 11 }, (_, n) => put(`D#${n}`, 390_000));
    await expect(table.write(many)).rejects.toEqual(code("too_large"));
    expect((await table.query({ pk })).items).toEqual([]);
    await table.write(many.slice(1));
    expect((await table.get({ pk, sk: "D#10" }))?.data).toEqual({ text: "x".repeat(390_000) });
  });

  test("what is refused is a MusterError", async () => {
    await expect(bench().table.write([])).rejects.toBeInstanceOf(MusterError);
  });
}

function expiry(bench: () => Bench): void {
  test("an item that has expired is absent to reads and to writes", async () => {
    const { table, partition, now, advance, caughtUp } = bench();
    const key = { pk: partition(), sk: "A" };
    const index = { pk: key.pk, sk: "I" };
    const expiresAt = now() + 3_600_000;
    await add(table, key, { n: 1 }, { expiresAt, indexes: { list: index } });
    await caughtUp();
    advance(expiresAt - now() - 1);
    expect((await table.get(key))?.expiresAt).toBe(expiresAt);
    expect((await table.query({ pk: key.pk })).items).toHaveLength(1);
    expect((await table.query({ pk: key.pk, index: "list" })).items).toHaveLength(1);
    advance(1);
    expect(await table.get(key)).toBeUndefined();
    expect((await table.query({ pk: key.pk })).items).toEqual([]);
    expect((await table.query({ pk: key.pk, index: "list" })).items).toEqual([]);
    const { conflicts: found } = await conflictOf(table.write([{ remove: key, expect: 1 }]));
    expect(found).toEqual([{ key, expected: 1 }]);
    await table.write([{ check: key, expect: "absent" }]);
    await add(table, key, { n: 2 });
    expect(await table.get(key)).toEqual({ ...draft(key, { n: 2 }), version: 1 });
  });
}
