/**
 * JSON text to the same tree that YAML text becomes, with the same limits. Every node knows its line, a key that is there
 * twice is noticed, and no message shows what stands in the file: it may be somebody's password.
 */
import { TaskFileError } from "../error.ts";
import type { Duplicate } from "../yaml/convert.ts";
import { MOST_DEPTH, type Parsed, sizeProblem } from "../yaml/parse.ts";
import { type Entry, itemOf, join, type Node, type Scalar } from "../yaml/tree.ts";

/** A place that the reader is at; the file's name is for messages. */
interface Work {
  readonly text: string;
  readonly file: string | undefined;
  at: number;
  line: number;
  /** Where the line begins. */
  start: number;
  readonly duplicates: Duplicate[];
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must be escaped in JSON
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS: readonly (readonly [string, boolean | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** Reads JSON text; everything that is wrong with it as JSON is a TaskFileError. */
export function parseJson(source: string, file?: string): Parsed {
  const work: Work = { text: source.replace(/^\uFEFF/, ""), file, at: 0, line: 1, start: 0, duplicates: [] };
  const size = sizeProblem(source);
  if (size !== undefined) throw new TaskFileError([size], file);
  skip(work);
  if (work.at === work.text.length) return { documents: [] };
  const root = value(work, "", 0);
  skip(work);
  if (work.at < work.text.length) fail(work, "there is more after the end of the value");
  return { documents: [{ root, duplicates: work.duplicates }] };
}

function value(work: Work, path: string, depth: number): Node {
  if (depth > MOST_DEPTH) fail(work, `it is nested deeper than ${MOST_DEPTH} levels`);
  const { line } = work;
  const sign = work.text[work.at];
  if (sign === "{") return map(work, path, depth, line);
  if (sign === "[") return list(work, path, depth, line);
  if (sign === '"') return string(work, path, line);
  const word = WORDS.find(([word]) => work.text.startsWith(word, work.at));
  if (word !== undefined) {
    work.at += word[0].length;
    return { kind: "scalar", value: word[1], text: word[0], plain: true, line };
  }
  const digits = take(work, NUMBER);
  if (digits === undefined) fail(work, work.at < work.text.length ? "a value is expected here" : "the end is missing");
  return { kind: "scalar", value: Number(digits), text: digits, plain: true, line };
}

function string(work: Work, path: string, line: number): Scalar {
  const taken = take(work, STRING);
  if (taken === undefined)
    fail(work, "text begins here that does not end on its line, or has an escape that JSON lacks");
  const text: string = JSON.parse(taken);
  if (text.includes("\0"))
    throw new TaskFileError([{ path, line, message: "has a NUL character, which no script can be given" }], work.file);
  return { kind: "scalar", value: text, text, plain: false, line };
}

function list(work: Work, path: string, depth: number, line: number): Node {
  const items: Node[] = [];
  each(work, "]", () => items.push(value(work, itemOf(path, items.length), depth + 1)));
  return { kind: "list", items, line };
}

function map(work: Work, path: string, depth: number, line: number): Node {
  const entries = new Map<string, Entry>();
  each(work, "}", () => {
    if (work.text[work.at] !== '"') fail(work, "a key in double quotes is expected here");
    const key = string(work, path, work.line);
    const place = join(path, key.text);
    note(work, entries, key, place);
    skip(work);
    if (work.text[work.at] !== ":") fail(work, "a colon is expected here");
    work.at += 1;
    skip(work);
    entries.set(key.text, { value: value(work, place, depth + 1), line: key.line });
  });
  return { kind: "map", entries, line };
}

function note(work: Work, entries: ReadonlyMap<string, Entry>, { text, line = 1 }: Scalar, path: string): void {
  if (text === "__proto__")
    throw new TaskFileError([{ path, line, message: "is not a name that may be used" }], work.file);
  const first = entries.get(text)?.line;
  if (first !== undefined) work.duplicates.push({ path, line, first });
}

/** What stands in brackets, between commas. */
function each(work: Work, end: string, read: () => void): void {
  work.at += 1;
  skip(work);
  if (work.text[work.at] === end) {
    work.at += 1;
    return;
  }
  for (let next = ","; next === ","; work.at += 1) {
    skip(work);
    read();
    skip(work);
    next = work.text[work.at] ?? "";
    if (next !== "," && next !== end) fail(work, `a comma or ${end} is expected here`);
  }
}

/** Lines end in spaces only: text that holds the end of one is not JSON. */
function skip(work: Work): void {
  const ends = (take(work, SPACE) ?? "").split("\n");
  if (ends.length === 1) return;
  work.line += ends.length - 1;
  work.start = work.text.lastIndexOf("\n", work.at - 1) + 1;
}

function take(work: Work, pattern: RegExp): string | undefined {
  pattern.lastIndex = work.at;
  const taken = pattern.exec(work.text)?.[0];
  if (taken !== undefined) work.at += taken.length;
  return taken;
}

function fail({ at, line, start, file }: Work, what: string): never {
  throw new TaskFileError([{ path: "", line, message: `not valid JSON at column ${at - start + 1}: ${what}` }], file);
}
