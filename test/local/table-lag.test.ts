/** Ran against: the local table with indexes that lag, on a virtual clock. */
import type { Expected, IndexName, Key, Write } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import { clock, freshFile, open } from "./table-support.ts";

const key = { pk: "P", sk: "A" };
const put = (n: number, indexes: Partial<Record<IndexName, Key>>, expected: Expected, sk = "A"): Write => ({
  put: { pk: "P", sk, type: "t", data: { n }, indexes },
  expect: expected,
});
const at = (sk: string) => ({ list: { pk: "L", sk } });

function lagging(...lags: number[]) {
  const { now, advance } = clock();
  const table = open({ now, indexLag: { draw: () => lags.shift() ?? 0 } });
  const seen = async (pk = "L") => (await table.query({ pk, index: "list" })).items.map(item => [item.sk, item.data.n]);
  return { table, advance, seen };
}

test("an index misses what was just written, and shows what was just changed or removed as it was", async () => {
  const { now, advance } = clock();
  const table = open({ now, indexLag: { ms: 1000 } });
  const seen = async () => (await table.query({ pk: "L", index: "list" })).items;
  const sighting = (n: number, sk: string) => ({ ...key, type: "t", data: { n }, indexes: at(sk) });
  await table.write([put(1, at("1"), "absent")]);
  expect(await seen()).toEqual([]);
  advance(999);
  expect(await seen()).toEqual([]);
  advance(1);
  expect(await seen()).toEqual([sighting(1, "1")]);
  await table.write([put(2, at("2"), 1)]);
  expect((await table.get(key))?.data).toEqual({ n: 2 });
  expect(await seen()).toEqual([sighting(1, "1")]);
  advance(500);
  await table.write([{ remove: key, expect: 2 }]);
  expect((await table.query({ pk: "P" })).items).toEqual([]);
  expect(await seen()).toEqual([sighting(1, "1")]);
  advance(500);
  expect(await seen()).toEqual([sighting(2, "2")]);
  advance(500);
  expect(await seen()).toEqual([]);
});

test("changes of one item arrive in order, whatever their lag", async () => {
  const { table, advance, seen } = lagging(1000, 10, 500);
  await table.write([put(1, at("1"), "absent")]);
  await table.write([put(2, at("2"), 1)]);
  await table.write([{ remove: key, expect: 2 }]);
  for (const ms of [0, 10, 490, 499]) {
    advance(ms);
    expect(await seen()).toEqual([]);
  }
  advance(1);
  expect(await seen()).toEqual([]);
});

test("changes of one transaction arrive one by one", async () => {
  const { table, advance, seen } = lagging(30, 10, 20);
  await table.write(["A", "B", "C"].map(sk => put(1, at(sk), "absent", sk)));
  const arrived: unknown[] = [];
  for (let tick = 0; tick < 4; tick++) {
    arrived.push((await seen()).map(([sk]) => sk));
    advance(10);
  }
  expect(arrived).toEqual([[], ["B"], ["B", "C"], ["A", "B", "C"]]);
});

test("an item whose index key goes is still seen under it for a while", async () => {
  const { table, advance, seen } = lagging(0, 100);
  await table.write([put(1, at("1"), "absent")]);
  await table.write([put(2, {}, 1)]);
  expect(await seen()).toEqual([["A", 1]]);
  advance(100);
  expect(await seen()).toEqual([]);
});

test("a refused or lost write never arrives", async () => {
  const { table, advance, seen } = lagging();
  await expect(table.write([put(1, at("1"), 7)])).rejects.toThrow("write conflict");
  advance(1e9);
  expect(await seen()).toEqual([]);
});

test("a table that is opened again starts with its indexes caught up", async () => {
  const path = freshFile();
  const { now } = clock();
  const first = open({ path, now, indexLag: { ms: 1000 } });
  await first.write([put(1, at("1"), "absent")]);
  first.close();
  const second = open({ path, now, indexLag: { ms: 1000 } });
  expect((await second.query({ pk: "L", index: "list" })).items).toHaveLength(1);
});
