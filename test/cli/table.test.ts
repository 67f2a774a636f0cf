/** Tables and lines for people: pure functions of the CLI. */
import { describe, expect, test } from "vitest";
import { tame } from "../../packages/cli/src/output.ts";
import { table, width } from "../../packages/cli/src/table.ts";

describe("a table", () => {
  test("has columns as wide as their widest cells, and no blanks at the ends of its lines", () => {
    expect(
      table(
        ["A", "NAME"],
        [
          ["1", "x"],
          ["333", ""],
          ["22", "long"],
        ],
      ),
    ).toBe(["A    NAME", "1    x", "333", "22   long"].join("\n"));
    expect(table(["A"], [])).toBe("A");
  });

  test.each([
    ["", 0],
    ["abc", 3],
    ["\u001b[31mred\u001b[39m", 3],
    ["日本", 4],
    ["한글", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["😀", 2],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["─→…", 3],
    ["a\u200bb", 2],
  ])("takes %j for %i columns", (text, columns) => {
    expect(width(text)).toBe(columns);
  });

  test("keeps its columns below each other, whatever alphabet and colour", () => {
    const lines = table(
      ["A", "B"],
      [
        ["\u001b[32m日本\u001b[39m", "|"],
        ["👩‍👩‍👧x", "|"],
        ["four", "|"],
      ],
    ).split("\n");
    expect(lines.map(line => width(line.slice(0, -1)))).toEqual([6, 6, 6, 6]);
  });

  test("has one line for each row, though a cell has several", () => {
    expect(table(["A", "B"], [["one\r\n  two\n", "x"]])).toBe("A         B\none two   x");
  });

  test("of ten times the rows takes about ten times as long", () => {
    const rows = (count: number) => Array.from({ length: count }, (_, at) => [`job_${at}`, "succeeded", "é", "3m"]);
    const took = (count: number): number => {
      const begun = performance.now();
      table(["A", "B", "C", "D"], rows(count));
      return performance.now() - begun;
    };
    took(2000);
    const [few, many] = [Math.min(took(2000), took(2000)), took(20_000)];
    // Squared, it would be a hundred times.
    expect(many / few).toBeLessThan(40);
  });
});

test("what is said keeps colours, tabs and line ends, and nothing else that a terminal obeys", () => {
  const said = "\u001b[31;1mred\u001b[0m\ta,b\r\nnext\n";
  expect(tame(said)).toBe(said);
  expect(tame("a\u001b[2Jb\u001b]0;title\u0007c\u001bMd\re\bf\u009b1mg\u007f")).toBe("a[2Jb]0;titlecMdef1mg");
});
