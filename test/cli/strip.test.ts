/** What becomes of a log on its way to a file: control sequences, ranks. Pure functions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ranks } from "../../packages/cli/src/ranks.ts";
import { type Filter, stripper, tamer } from "../../packages/cli/src/strip.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const through = (filter: Filter, parts: readonly (string | Uint8Array)[]): string => {
  return text(Buffer.concat(parts.map(part => filter(typeof part === "string" ? Buffer.from(part) : part))));
};
const strip = (...parts: (string | Uint8Array)[]): string => through(stripper(), parts);
const tame = (...parts: (string | Uint8Array)[]): string => through(tamer(), parts);

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
    ["what clears the line behind a return leaves no empty one", "1%\r\u001b[K2%\r\u001b[K\n", "1%\n2%\n"],
    ["control characters of two bytes", "a\u009b31mb\u0085c\u00a0d", "a31mbc\u00a0d"],
  ])("%s", (_, given, wanted) => expect(strip(given)).toBe(wanted));

  test("it does not matter where a chunk ends", () => {
    const piece = fc.constantFrom(
      ...[
        "a",
        "é🎉",
        "\r",
        "\n",
        "\t",
        "\b",
        "\u001b",
        "[",
        "0;31m",
        "]0;t",
        "\u0007",
        "\\",
        "\u001b[K",
        "\u009b",
        "\u001b[2J",
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 4 }), (pieces, cuts) => {
        const whole = Buffer.from(pieces.join(""));
        const at = [0, ...cuts.map(cut => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const parts = at.slice(1).map((end, index) => whole.subarray(at[index], end));
        expect(strip(...parts)).toBe(strip(whole));
        expect(tame(...parts)).toBe(tame(whole));
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

describe("control sequences on a terminal", () => {
  test.each([
    ["colours stay", "\u001b[1;38;5;196mred\u001b[0m\u001b[m", undefined],
    ["progress within a line stays", " 10%\r\u001b[K 20%\b\b\u001b[2Gx\u001b[3C\u001b[1D\n", undefined],
    ["characters of more bytes stay", "naïve 日本 🎉\u00a0", undefined],
    ["titles go", "\u001b]0;rm -rf\u0007x", "x"],
    ["links go, their text stays", "\u001b]8;;https://a\u001b\\x\u001b]8;;\u001b\\", "x"],
    ["what writes to the clipboard goes", "\u001b]52;c;cm0gLXJm\u0007x", "x"],
    ["what clears the screen goes", "\u001b[2J\u001b[Hx\u001bc", "x"],
    ["moves out of the line go", "\u001b[A\u001b[3B\u001b[1;1Hx\u001b[2F\u001b[E\u001bM\u001bD", "x"],
    ["questions that the terminal would answer go", "\u001b[6n\u001b[c\u001b[>c\u001b[21tx\u001bP+q\u001b\\", "x"],
    ["modes go: hidden cursors, other screens, mice", "\u001b[?25l\u001b[?1049h\u001b[?1000hx", "x"],
    ["settings that end as colours do go", "\u001b[>4;1mx\u001b[?4m", "x"],
    ["charsets, bells and other controls go", "\u001b(0x\u0007\u0000\u000e\u007f", "x"],
    ["control characters of two bytes go", "\u009b2Jx\u009d0;t\u009c", "2Jx0;t"],
    ["a sequence that is longer than any colour goes", `\u001b[${"1;".repeat(60)}mx`, "x"],
    ["a control inside of a sequence spoils it", "\u001b[3\r1mx", "x"],
  ])("%s", (_, given, wanted) => expect(tame(given)).toBe(wanted ?? given));

  test("whatever comes, what is left is text, or stays within its line", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom(..."\u001b[]?>0;1mKHJ\u0007\r\n").map(char => Buffer.from(char)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), parts => {
        const left = tame(...parts);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        const rest = left.replaceAll(/\u001b\[[0-9;:]*[mKGCD]/g, "");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(rest).not.toMatch(/[\u0000-\u0007\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("ranks", () => {
  const all = (nodes: number, ...chunks: [number, string][]): string => {
    const lines = ranks(nodes);
    const shown = chunks.map(([rank, part]) => text(lines.take({ rank, phase: "run" }, Buffer.from(part))));
    return shown.join("") + text(lines.rest());
  };

  test("one node's log passes as it is", () => expect(all(1, [0, "a"], [0, "b\n"])).toBe("ab\n"));

  test("several nodes' lines are whole, each with its rank", () =>
    expect(all(2, [0, "from ze"], [1, "from one\nand "], [0, "ro\n"], [1, "more"])).toBe(
      "(rank 1) from one\n(rank 0) from zero\n(rank 1) and more\n",
    ));

  test("empty lines are lines", () => expect(all(2, [1, "\n\nx\n"])).toBe("(rank 1) \n(rank 1) \n(rank 1) x\n"));
});
