/** Made-up texts, those among them that one loader of YAML or another reads as something else. */
import * as fc from "fast-check";

const traps = fc.constantFrom(
  ..."yes no on off true Null ~ null 0o7 007 0x1f 1e-5 1.5e+3 1_000 .5 1. 12:30 1:30:00 2024-01-01 2024-01-01T00:00:00Z .inf -.NaN = << y n - -- ? : # a:b [a] {a} *a &a !a % @ ` | > ' \" \\ --- ... +1 0b1 __proto__".split(
    " ",
  ),
  ...[
    "",
    " ",
    "a: b",
    "a #b",
    " #",
    "a\t",
    "\ta",
    "- a",
    "a:",
    "\n",
    "\n\n",
    " \n",
    "\n a",
    "a\n",
    "a\n\n",
    "  a\nb\n",
  ],
  ...[
    "a\n\t\n",
    "\ta\n b",
    "\u0085",
    "a\u2028b",
    "\uFEFF",
    "\u007F",
    "a\r\nb",
    "\r",
    "\ud800",
    "é😀",
    "\u0001",
    "\uFFFF",
  ],
  "x".repeat(1500),
);
/** Text that scripts and variables may have: a NUL is refused by every reader. */
export const text = fc
  .oneof(
    traps,
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc
      .array(fc.oneof(traps, fc.constantFrom("\n", " ", "\t", "echo", "  ")), { maxLength: 6 })
      .map(parts => parts.join("")),
  )
  .map(value => value.replaceAll("\0", ""));
export const line = (length: number) =>
  text
    .map(value =>
      value
        .replaceAll(/[\p{Cc}$]/gu, "")
        .slice(0, length)
        .trim(),
    )
    .filter(value => value !== "");
