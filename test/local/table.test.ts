/** Ran against: the local table on node:sqlite. What the port's contract leaves to the adapter. */
import { DatabaseSync } from "node:sqlite";
import type { Change, Write } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { clock, freshFile, open } from "./table-support.ts";

const put = (sk: string, data = {}, expected: "absent" | number = "absent"): Write => ({
  put: { pk: "P", sk, type: "t", data },
  expect: expected,
});
const code = (value: string) => expect.objectContaining({ code: value });

describe("the doorbell", () => {
  test("hears of each commit once: items as they now stand, and the keys of those removed", async () => {
    const rung: (readonly Change[])[] = [];
    const table = open({ onCommit: changes => void rung.push(changes) });
    await table.write([put("A", { n: 1 }), put("B")]);
    await table.write([
      put("A", { n: 2 }, 1),
      { remove: { pk: "P", sk: "B" }, expect: 1 },
      { check: { pk: "P", sk: "C" }, expect: "absent" },
    ]);
    expect(rung).toEqual([
      [
        { item: { pk: "P", sk: "A", type: "t", data: { n: 1 }, version: 1 } },
        { item: { pk: "P", sk: "B", type: "t", data: {}, version: 1 } },
      ],
      [{ item: { pk: "P", sk: "A", type: "t", data: { n: 2 }, version: 2 } }, { removed: { pk: "P", sk: "B" } }],
    ]);
  });

  test("is silent after a conflict, a refusal, and a write that only checks", async () => {
    const rung: unknown[] = [];
    const table = open({ onCommit: changes => void rung.push(changes), refuse: () => true });
    await table.write([{ check: { pk: "P", sk: "A" }, expect: "absent" }]);
    await expect(table.write([put("A", {}, 1)])).rejects.toThrow("write conflict on P A");
    await expect(table.write([put("A"), put("B")])).rejects.toEqual(code("busy"));
    expect(rung).toEqual([]);
  });

  test("finds the commit done: another connection sees it, and can write", async () => {
    const path = freshFile();
    const other = open({ path });
    const seen: unknown[] = [];
    const table = open({
      path,
      onCommit: async () => {
        seen.push((await other.get({ pk: "P", sk: "A" }))?.version);
        await other.write([put("FROM-THE-DOORBELL")]);
      },
    });
    await table.write([put("A")]);
    await expect.poll(() => table.get({ pk: "P", sk: "FROM-THE-DOORBELL" })).toBeDefined();
    expect(seen).toEqual([1]);
  });

  test("may write to its own table", async () => {
    const table = open({ onCommit: changes => (changes.length === 2 ? table.write([put("C")]) : undefined) });
    await table.write([put("A"), put("B")]);
    expect((await table.query({ pk: "P" })).items.map(item => item.sk)).toEqual(["A", "B", "C"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("no bell");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no bell"))],
  ])("that %s fails no write, and is logged", async (_, onCommit) => {
    const logged: unknown[] = [];
    const log = { error: (message: string, fields?: object) => void logged.push([message, fields]) };
    const table = open({ onCommit, log });
    await table.write([put("A")]);
    await expect.poll(() => logged).toEqual([["the doorbell failed", { error: new Error("no bell") }]]);
    expect(await table.get({ pk: "P", sk: "A" })).toBeDefined();
  });
});

describe("a write", () => {
  test("that fails half-way, for whatever reason, leaves nothing", async () => {
    const table = open();
    const wrong: Write = {
      put: { pk: "P", sk: "B", type: "t", data: {}, expiresAt: "soon" as never },
      expect: "absent",
    };
    await expect(table.write([put("A"), wrong])).rejects.toThrow("cannot store TEXT value");
    expect((await table.query({ pk: "P" })).items).toEqual([]);
    await table.write([put("A")]);
  });
});

describe("a page", () => {
  test("that is full and the last one has no cursor", async () => {
    const table = open();
    await table.write([put("A"), put("B")]);
    expect(await table.query({ pk: "P", limit: 2 })).not.toHaveProperty("cursor");
    expect(await table.query({ pk: "P", limit: 1 })).toHaveProperty("cursor");
  });
});

describe("refusals", () => {
  test("meet transactions only, after what is wrong with them", async () => {
    const table = open({ refuse: () => true });
    await table.write([put("A")]);
    await expect(table.write([put("B"), put("C")])).rejects.toEqual(code("busy"));
    await expect(table.write([put("B"), put("B")])).rejects.toEqual(code("invalid_request"));
    expect((await table.query({ pk: "P" })).items.map(item => item.sk)).toEqual(["A"]);
  });
});

describe("the file", () => {
  test("is written ahead, and strict about types", async () => {
    const path = freshFile();
    open({ path });
    const database = new DatabaseSync(path);
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(database.prepare("SELECT strict FROM pragma_table_list('items')").get()).toEqual({ strict: 1 });
    database.close();
  });

  test("of a newer Muster is refused, not damaged", () => {
    const path = freshFile();
    open({ path }).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 2");
    database.close();
    expect(() => open({ path })).toThrow(code("unsupported"));
  });

  test("is held by another process: a write is refused as busy, and nothing of it stays", async () => {
    const path = freshFile();
    const table = open({ path, timeout: 10 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(table.write([put("A")])).rejects.toEqual(code("busy"));
    expect(await table.get({ pk: "P", sk: "A" })).toBeUndefined();
    other.exec("ROLLBACK");
    other.close();
    await table.write([put("A")]);
  });

  test("forgets what has expired, when it is opened and then hourly", async () => {
    const { now, advance } = clock();
    const path = freshFile();
    const rows = () => {
      const database = new DatabaseSync(path);
      const found = database
        .prepare("SELECT sk FROM items ORDER BY sk")
        .all()
        .map(row => row.sk);
      database.close();
      return found;
    };
    const brief = (sk: string): Write => ({
      put: { pk: "P", sk, type: "t", data: {}, expiresAt: now() + 1000 },
      expect: "absent",
    });
    const table = open({ path, now });
    await table.write([brief("A")]);
    advance(2000);
    await table.write([brief("B")]);
    expect(rows()).toEqual(["A", "B"]);
    advance(3_600_000);
    await table.write([brief("C")]);
    expect(rows()).toEqual(["C"]);
    advance(1000);
    open({ path, now });
    expect(rows()).toEqual([]);
  });

  test("answers every query from an index, without sorting", () => {
    const path = freshFile();
    open({ path });
    const database = new DatabaseSync(path);
    const plan = (where: string, order: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN SELECT * FROM items WHERE ${where} ORDER BY ${order}`)
        .all()
        .map(row => String(row.detail));
    const bounds = (column: string) => `${column} >= 'a' AND ${column} < CAST(x'61ff' AS TEXT)`;
    expect(plan(`pk = 'P' AND ${bounds("sk")}`, "sk DESC")).toEqual([
      expect.stringMatching(/^SEARCH .*pk=\? AND sk>\? AND sk<\?/),
    ]);
    for (const index of ["list", "due", "link"])
      for (const way of ["ASC", "DESC"]) {
        const order = `${index}_sk ${way}, pk ${way}, sk ${way}`;
        expect(plan(`${index}_pk = 'P' AND ${bounds(`${index}_sk`)}`, order)).toEqual([
          expect.stringContaining(`USING INDEX items_${index} (`),
        ]);
      }
    database.close();
  });
});
