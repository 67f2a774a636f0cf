/** What becomes of a log on its way to a file: control sequences, ranks. Pure functions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ranks } from "../../packages/cli/src/ranks.ts";
import { stripper } from "../../packages/cli/src/strip.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const strip = (...parts: (string | Uint8Array)[]): string => {
  const filter = stripper();
  return text(Buffer.concat(parts.map(part => filter(typeof part === "string" ? Buffer.from(part) : part))));
};

describe("control sequences", () => {
  test.each([
    ["colours", "\u001b[1;31mred\u001b[0m", "red"],
    ["cursor moves", "a\u001b[2K\u001b[1Gb", "ab"],
    ["a title that ends with BEL", "\u001b]0;title\u0007x", "x"],
    ["a link that ends with ESC \\", "\u001b]8;;https://a\u001b\\x\u001b]8;;\u001b\\", "x"],
    ["a device control string", "\u001bPq#0\u001b\\x", "x"],
    ["a charset", "\u001b(Bx", "x"],
    ["other control characters", "a\u0000\b\u0007\u007fb", "ab"],
    ["newlines and tabs stay", "a\tb\n", "a\tb\n"],
    ["a Windows line end is one line end", "a\r\nb\r\n", "a\nb\n"],
    ["steps of a progress bar stay apart", " 10%\r 20%\r\n", " 10%\n 20%\n"],
    ["a sequence that never ends takes its line only", "\u001b]0;oops\nnext\u001b[12\nlast", "\nnext\nlast"],
    ["characters of more bytes are whole", "naïve 日本 🎉", "naïve 日本 🎉"],
  ])("%s", (_, given, wanted) => expect(strip(given)).toBe(wanted));

  test("it does not matter where a chunk ends", () => {
    const piece = fc.constantFrom(
      "a",
      "é🎉",
      "\r",
      "\n",
      "\t",
      "\u001b",
      "[",
      "0;31m",
      "]0;t",
      "\u0007",
      "\\",
      "\u001b[K",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 4 }), (pieces, cuts) => {
        const whole = Buffer.from(pieces.join(""));
        const at = [0, ...cuts.map(cut => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const parts = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        expect(strip(...parts)).toBe(strip(whole));
      }),
    );
  });

  test("what is left is never a control character", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        for (const byte of stripper()(bytes)) expect(byte >= 0x20 || byte === 0x0a || byte === 0x09).toBe(true);
      }),
    );
  });
});

describe("ranks", () => {
  const all = (nodes: number, ...chunks: [number, string][]): string => {
    const lines = ranks(nodes);
    const shown = chunks.map(([rank, part]) => text(lines.take({ rank }, Buffer.from(part))));
    return shown.join("") + text(lines.rest());
  };

  test("one node's log passes as it is", () => expect(all(1, [0, "a"], [0, "b\n"])).toBe("ab\n"));

  test("several nodes' lines are whole, each with its rank", () =>
    expect(all(2, [0, "from ze"], [1, "from one\nand "], [0, "ro\n"], [1, "more"])).toBe(
      "(rank 1) from one\n(rank 0) from zero\n(rank 1) and more\n",
    ));

  test("empty lines are lines", () => expect(all(2, [1, "\n\nx\n"])).toBe("(rank 1) \n(rank 1) \n(rank 1) x\n"));
});
