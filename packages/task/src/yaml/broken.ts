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
    [
      "text that goes over several lines stands where a key should",
      "write `|` after the key, and indent every line of its text",
    ],
  ],
  ["MISSING_CHAR", "Implicit map keys", ["a key needs `: value`", "write `key: value`, or take the line out"]],
  ["MISSING_CHAR", "Missing closing", ["text in quotes does not end", "close the quotes"]],
  ["BLOCK_AS_IMPLICIT_KEY", "Nested mappings", ["a value has `: ` in it", "put the whole value in quotes"]],
  ["BAD_SCALAR_START", "", ["a value begins with a character that it must not begin with", "put it in quotes"]],
  ["UNEXPECTED_TOKEN", "Unexpected scalar", ["text follows where a value has ended", "put all of it in quotes"]],
];

/** What an item at the wrong column comes to. */
const INDENTED = /^(?:All (?:mapping|sequence) items must start|A block sequence may not be|Sequence item without)/;

/** `cloud: {{cloud}}`, `- {{item}}`, `{% if gpu %}` */
const TEMPLATE = /^[^#'"]*?(?:^|: |- )\s*\{[{%]/;

const PLACEHOLDER: Words = ["a template's placeholder", "render the file first"];

/** One for each line: what follows the first error on a line is mostly its echo, and so is all that follows a tab. */
export function broken(errors: readonly YAMLError[], lines: LineCounter, text: string): Issue[] {
  const rows = text.split("\n");
  const tab = errors.find(({ code }) => code === "TAB_AS_INDENT");
  const first = new Map<number, Issue>();
  for (const error of tab === undefined ? errors : [tab]) {
    const { line, col } = lines.linePos(error.pos[0]);
    const issue = INDENTED.test(error.message) ? indented(rows, line) : told(error, rows, line, col);
    if (!first.has(line)) first.set(line, issue);
  }
  return [...first.values()].slice(0, MOST);
}

function told(error: YAMLError, rows: readonly string[], line: number, col: number): Issue {
  const found = WORDS.find(([code, begin]) => code === error.code && error.message.startsWith(begin));
  const isTemplate = TEMPLATE.test(rows[line - 1] ?? "");
  const words: Words = isTemplate ? PLACEHOLDER : (found?.[2] ?? [unquoted(error)]);
  const [message, suggestion] = words;
  return {
    path: "",
    line: Math.max(line, 1),
    message: `not valid YAML at column ${Math.max(col, 1)}: ${message}`,
    ...(suggestion !== undefined && { suggestion }),
  };
}

/** Such an error stands where the text before the item ends: blank lines and comments may be between them. */
function indented(rows: readonly string[], line: number): Issue {
  const isText = (row: string | undefined): boolean => /^\s*[^\s#]/.test(row ?? "");
  const here = rows.findIndex((row, index) => index >= line - 1 && isText(row));
  const above = rows.findLastIndex((row, index) => index < here && isText(row));
  const [its, other] = [here, above].map(index => (rows[index] ?? "").search(/\S/));
  return {
    path: "",
    line: here + 1,
    message: `not valid YAML: the line is indented by ${its}, and line ${above + 1} above it by ${other}`,
    suggestion: "begin all keys of one map, and all items of one list, at the same column",
  };
}

/** Without the piece of the file that such a message may end with. */
export const unquoted = ({ message }: Error): string => message.replace(/(?:: | (?<=escape sequence )).*$/s, "");
