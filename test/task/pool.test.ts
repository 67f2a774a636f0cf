/** Files that say what a pool is, read and written back. */
import { read } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { describe, expect, test } from "vitest";

const poolOf = (text: string) => read(`${text}\nsetup: make\n`).tasks[0]?.pool;

describe("pool", () => {
  test.each([
    ["pool: { workers: 4 }", { workers: 4 }],
    ["pool: { workers: 0 }", { workers: 0 }],
    ["pool: {}", {}],
    ["pool:", undefined],
    ["name: x", undefined],
  ])("%s", (text, pool) => {
    expect(poolOf(text)).toEqual(pool);
  });

  test("is written as it is read", () => {
    const again = write(read("pool: { workers: 3 }\nsetup: make\n"));
    expect(read(again).tasks[0]?.pool).toEqual({ workers: 3 });
  });

  test("of a hundred at most", () => {
    expect(() => poolOf("pool: { workers: 101 }")).toThrow(/pool\.workers.*at most 100/);
  });

  test("that follows its queue cannot be done yet", () => {
    const { unsupported } = read("pool: { min_workers: 1, max_workers: 3 }\nsetup: make\n");
    expect(unsupported.map(({ path }) => path)).toEqual(["pool"]);
  });
});
