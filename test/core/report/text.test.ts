/** Texts of jobs and of strangers in what is told: nothing in them is read by anybody but people. Pure functions. */
import { cell, code, fence } from "@muster/core/report/markdown.ts";
import { clip, lastLines, plain, printable } from "@muster/core/report/plain.ts";
import { expect, test } from "vitest";

const HOSTILE = [
  "@everyone look",
  "fixes #1, acme/models#2, GH-3 and !4",
  "</summary><img src=x onerror=alert(1)>",
  "<!-- muster:00000000000000000000000000000000 -->",
  "`` @team ``",
  "```\n@team\n```",
  "````js\n````",
  "`",
  "a`b",
  "`a",
  "a`",
  "| a | b |\n|---|---|",
  "/close\n/merge",
  "[x](javascript:alert(1)) ![y](http://evil)",
  "\u202egnp.exe\u202c",
  "\u001b]0;title\u0007\u001b[31mred\u001b[0m\u001b(B",
  "\u0000\u0007\ud800",
];

/** What CommonMark takes for the contents of a code span: between two runs of ticks of the same length. */
function spanOf(text: string): string {
  const ticks = /^`+/.exec(text)?.[0] ?? "";
  const inner = text.slice(ticks.length, text.length - ticks.length);
  expect(text.endsWith(ticks)).toBe(true);
  expect([...inner.matchAll(/`+/g)].every(([run]) => run.length !== ticks.length)).toBe(true);
  return inner;
}

test("in a line each stands in one span of code, and cannot end it", () => {
  for (const text of HOSTILE) {
    const said = code(text);
    expect(said).not.toContain("\n");
    expect(spanOf(said).trim()).toBe(plain(text));
    expect(spanOf(said)).not.toMatch(/^`|`$/);
    expect(cell(text)).not.toContain("|");
  }
  expect(code("\u0000")).toBe("");
});

test("as lines each stands in one fence, and cannot end it", () => {
  for (const text of HOSTILE) {
    const lines = fence(text).split("\n");
    const [open = "", ...rest] = lines;
    const ticks = /^`{3,}/.exec(open)?.[0] ?? "";
    expect(open).toBe(`${ticks}text`);
    expect(rest.pop()).toBe(ticks);
    for (const line of rest) expect(/^ {0,3}(`*)\s*$/.exec(line)?.[1]?.length ?? 0).toBeLessThan(ticks.length);
    expect(rest.join("\n")).toBe(printable(text));
  }
});

test("what controls a terminal goes, and of a line that was written over its last form stays", () => {
  expect(printable("\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\ \u001b[1;31mred\u001b[0m")).toBe("link red");
  expect(printable("10%\r50%\r100%\r\ndone\r\n")).toBe("100%\ndone\n");
  expect(printable("a\u0008b\u007f\u200bc\u202ed\t.")).toBe("abcd\t.");
  expect(printable("\u001b]never ends\nnext")).toBe("\nnext");
});

test("long texts come to an end: what is quadratic outlasts the test", () => {
  const long = ["\r", "\n", "\u001b]", "\u001b[", "`", " ", "\u001b"].map(one => one.repeat(1_000_000 / one.length));
  for (const text of long) {
    expect(printable(text).length).toBeLessThanOrEqual(text.length);
    expect(plain(`${text}x`).length).toBeLessThanOrEqual(text.length + 1);
    expect(lastLines(`${text}x`, { lines: 50, letters: 1000 }).length).toBeLessThanOrEqual(1000);
  }
});

test("the last lines that fit are whole, and a clipped text is well-formed", () => {
  expect(lastLines("one\ntwo\nthree\n\n", { lines: 2, letters: 100 })).toBe("two\nthree");
  expect(lastLines("one\ntwo\nthree", { lines: 5, letters: 10 })).toBe("two\nthree");
  expect(lastLines("abcdef", { lines: 5, letters: 3 })).toBe("def");
  expect(lastLines("", { lines: 5, letters: 3 })).toBe("");
  expect(clip("abc", 3)).toBe("abc");
  expect(clip("abcd", 3)).toBe("ab…");
  expect(clip("a😀bc", 3)).toBe("a…");
});
