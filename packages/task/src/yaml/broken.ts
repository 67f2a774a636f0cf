/**
 * What is wrong with a file as YAML, in the words of those who wrote it. Nothing of the file's text is shown: it may be
 * somebody's password.
 */
import type { LineCounter, YAMLError } from "yaml";
import type { Issue } from "../error.ts";

const MOST = 5;

type Words = readonly [message: string, suggestion?: string];

/** By the library's codes, and how its messages begin where one code is several matters. */
const WORDS: readonly (readonly [code: string, begin: string, words: Words])[] = [
  ["TAB_AS_INDENT", "", ["a line is indented with a tab", "indent with spaces"]],
  [
    "MULTILINE_IMPLICIT_KEY",
    "Implicit keys need",
    ["text that goes over several lines stands where a key should", "indent every line of a script, after `run: |`"],
  ],
  ["MISSING_CHAR", "Implicit map keys", ["a key needs `: value`", "write `key: value`, or take the line out"]],
  ["MISSING_CHAR", "Missing closing", ["text in quotes does not end", "close the quotes"]],
  ["BLOCK_AS_IMPLICIT_KEY", "Nested mappings", ["a value has `: ` in it", "put the whole value in quotes"]],
  ["BAD_SCALAR_START", "", ["a value begins with a character that it must not begin with", "put it in quotes"]],
  [
    "UNEXPECTED_TOKEN",
    "Unexpected scalar at node end",
    ["text follows where a value has ended", "put all of it in quotes"],
  ],
];

/** `cloud: {{cloud}}`, `- {{item}}`, `{% if gpu %}` */
const TEMPLATE = /^[^#'"]*?(?:^|: |- )\s*\{[{%]/;

/** One for each line: what follows the first error on a line is mostly its echo, and so is all that follows a tab. */
export function broken(errors: readonly YAMLError[], lines: LineCounter, text: string): Issue[] {
  const rows = text.split("\n");
  const tab = errors.find(({ code }) => code === "TAB_AS_INDENT");
  const first = new Map<number, Issue>();
  for (const error of tab === undefined ? errors : [tab]) {
    const { line, col } = lines.linePos(error.pos[0]);
    if (first.has(line)) continue;
    const [message, suggestion] = wordsOf(error, rows, Math.max(line, 1));
    first.set(line, {
      path: "",
      line: Math.max(line, 1),
      message: `not valid YAML at column ${Math.max(col, 1)}: ${message}`,
      ...(suggestion !== undefined && { suggestion }),
    });
  }
  return [...first.values()].slice(0, MOST);
}

function wordsOf(error: YAMLError, rows: readonly string[], line: number): Words {
  if (TEMPLATE.test(rows[line - 1] ?? "")) return ["a template's placeholder", "render the file first"];
  if (error.code === "BAD_INDENT") return indented(rows, line);
  const found = WORDS.find(([code, begin]) => code === error.code && error.message.startsWith(begin));
  return found?.[2] ?? [unquoted(error)];
}

function indented(rows: readonly string[], line: number): Words {
  const above = rows.findLastIndex((row, index) => index < line - 1 && /^\s*[^\s#]/.test(row));
  const [here, there] = [rows[line - 1], rows[above]].map(row => (row ?? "").search(/\S/));
  return [
    `the line is indented by ${here}, and line ${above + 1} above it by ${there}`,
    "begin all keys of one map, and all items of one list, at the same column",
  ];
}

/** Without the piece of the file that such a message may end with. */
export const unquoted = ({ message }: Error): string => message.replace(/(?:: | (?<=escape sequence )).*$/s, "");
