/**
 * Ran against: node:sqlite on a real file, with real processes that are killed (SIGKILL) or write at the same time.
 * A killed process is not a power cut: what the disk does with a sync is not tried here.
 */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { child, exited, freshFile, open } from "./table-support.ts";

const PARTS = ["A", "B", "C", "D", "E"];

test("after kills at any moment every acknowledged transaction is there, and none is half there", async () => {
  const path = freshFile();
  const acknowledged: number[] = [];
  let next = 0;
  for (const acks of [1, 40, 7, 90, 23]) {
    const { process, lines } = child("transactions", path, String(next));
    const closed = exited(process);
    let seen = 0;
    for await (const line of lines) {
      acknowledged.push(Number(line));
      if (++seen === acks) process.kill("SIGKILL");
    }
    await closed;
    expect(process.signalCode).toBe("SIGKILL");
    const table = open({ path });
    const parts = await Promise.all(PARTS.map(part => everything(table, `PART#${part}`)));
    expect(parts).toEqual(PARTS.map(() => parts[0]));
    const committed = new Set(parts[0]);
    expect(acknowledged.filter(n => !committed.has(n))).toEqual([]);
    // At most one transaction was committed whose acknowledgement the kill cut off.
    next = (parts[0]?.at(-1) ?? -1) + 1;
    expect(next - (acknowledged.at(-1) ?? 0)).toBeLessThanOrEqual(2);
    expect((await table.get({ pk: "SHARED", sk: "LAST" }))?.data).toEqual({ n: next - 1 });
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(161);
}, 30_000);

async function everything(table: ReturnType<typeof open>, pk: string): Promise<number[]> {
  const found: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, limit: 1000, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(item => Number(item.data.n)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

test("processes that open a new file at once and write to one item lose no write", async () => {
  const path = freshFile();
  const children = Array.from({ length: 4 }, () => child("increments", path, "300").process);
  await Promise.all(children.map(exited));
  expect(children.map(each => each.exitCode)).toEqual([0, 0, 0, 0]);
  const item = await open({ path }).get({ pk: "COUNTER", sk: "COUNTER" });
  expect(item).toMatchObject({ data: { n: 1200 }, version: 1200 });
}, 30_000);

test("a table that was closed holds everything in its one file", async () => {
  const path = freshFile();
  const first = open({ path });
  await first.write([{ put: { pk: "P", sk: "S", type: "t", data: { n: 1 } }, expect: "absent" }]);
  first.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(await open({ path }).get({ pk: "P", sk: "S" })).toMatchObject({ data: { n: 1 }, version: 1 });
});
