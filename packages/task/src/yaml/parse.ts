/**
 * YAML text to a tree, with limits on everything a hostile file could blow up: size, depth, aliases.
 *
 * Order of events: size and characters, then tokens (no recursion there, so depth is measured before anything
 * recurses), then documents, then their aliases, then the tree.
 */
import { Composer, type CST, Lexer, LineCounter, Parser, type Document as YamlDocument } from "yaml";
import { type Issue, TaskFileError } from "../error.ts";
import { broken, unquoted } from "./broken.ts";
import { type Duplicate, treeOf } from "./convert.ts";
import type { Node } from "./tree.ts";

/** What a task file may have. */
export const MOST_BYTES = 256 * 1024;
export const MOST_DEPTH = 32;
const MOST_ALIASES = 100;
/** Words, signs and line ends outside of scripts: those of some thousand lines. */
const MOST_LEXEMES = 15_000;
const MOST_DOCUMENTS = 100;

export interface Document {
  readonly root: Node;
  /** Keys that it has twice. */
  readonly duplicates: readonly Duplicate[];
}

/** What one file holds. */
export interface Parsed {
  /** Those that are not empty. */
  readonly documents: readonly Document[];
}

/** Reads YAML text; everything that is wrong with it as YAML is a TaskFileError. */
export function parse(source: string, file?: string): Parsed {
  const fail = (issues: readonly Issue[]): never => {
    throw new TaskFileError(issues, file);
  };
  const excess = sizeProblem(source);
  if (excess !== undefined) fail([excess]);
  const text = source.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  const problem = characterProblem(text);
  if (problem !== undefined) fail([problem]);
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if ("message" in tokens) return fail([tokens]);
  const composer = new Composer({ schema: "failsafe", stringKeys: true, uniqueKeys: false, prettyErrors: false });
  const documents = [...composer.compose(tokens, false, text.length)];
  const errors = documents.flatMap(document => document.errors);
  if (errors.length > 0) fail(broken(errors, lines, text));
  const aliases = documents.map(aliasProblem).find(found => found !== undefined);
  if (aliases !== undefined) fail([aliases]);
  const trees = documents.map(document => treeOf(document, lines));
  const issues = trees.flatMap(tree => tree.issues);
  if (issues.length > 0) fail(issues);
  return { documents: trees.flatMap(({ root, duplicates }) => (root === undefined ? [] : [{ root, duplicates }])) };
}

export function sizeProblem(text: string): Issue | undefined {
  const bytes = text.length > MOST_BYTES ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= MOST_BYTES) return undefined;
  return {
    path: "",
    message: `the file is ${Math.ceil(bytes / 1024)} KB; a task file has ${MOST_BYTES / 1024} KB at most`,
  };
}

function characterProblem(text: string): Issue | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  const at = text.search(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFFFE\uFFFF]/);
  if (at < 0) return undefined;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  return {
    path: "",
    line: text.slice(0, at).split("\n").length,
    message: `character U+${code} cannot stand in YAML text`,
  };
}

/** The file's tokens, or where they became too many or too deep: nobody reads on from there. */
function tokensOf(text: string, lines: LineCounter): CST.Token[] | Issue {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    tokens.push(...parser.next(lexeme));
    // Its stack holds the document, and one entry for each level that is open.
    if (parser.stack.length > MOST_DEPTH + 2) return tooDeep(lines.linePos(parser.stack.at(-1)?.offset ?? 0).line);
    const excess = lexemes > MOST_LEXEMES ? CROWDED : documentProblem(tokens);
    if (excess !== undefined) return excess;
  }
  tokens.push(...parser.end());
  return documentProblem(tokens) ?? tokenProblem(tokens, lines) ?? tokens;
}

/** Counted only when there may be too many: comments and line ends between documents are tokens as well. */
function documentProblem(tokens: readonly CST.Token[]): Issue | undefined {
  if (tokens.length <= MOST_DOCUMENTS || tokens.at(-1)?.type !== "document") return undefined;
  const documents = tokens.filter(({ type }) => type === "document").length;
  return documents > MOST_DOCUMENTS ? tooMuch(`has more than ${MOST_DOCUMENTS} documents`) : undefined;
}

const tooMuch = (message: string): Issue => ({ path: "", message });

const CROWDED = tooMuch("has more in it than any task file: put data into files of their own");
const tooDeep = (line: number): Issue => ({ path: "", line, message: `nested deeper than ${MOST_DEPTH} levels` });

/** Depth and aliases, counted over the tokens without recursion: what comes later recurses, and follows aliases. */
function tokenProblem(tokens: readonly CST.Token[], lines: LineCounter): Issue | undefined {
  const todo = tokens.map(token => ({ token, depth: 0 }));
  let aliases = 0;
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { token, depth } = next;
    if (depth > MOST_DEPTH) return tooDeep(lines.linePos(token.offset).line);
    if (token.type === "alias") aliases += 1;
    if (aliases > MOST_ALIASES) return tooMuch(`has more than ${MOST_ALIASES} aliases`);
    todo.push(...inside(token, depth));
  }
  return undefined;
}

function inside(token: CST.Token, depth: number): { token: CST.Token; depth: number }[] {
  if (token.type === "document") return token.value === undefined ? [] : [{ token: token.value, depth }];
  if (!("items" in token)) return [];
  const tokens = token.items.flatMap(item => [item.key, item.value]);
  return tokens.flatMap(one => (one === null || one === undefined ? [] : [{ token: one, depth: depth + 1 }]));
}

function aliasProblem(document: YamlDocument.Parsed): Issue | undefined {
  try {
    document.toJS({ maxAliasCount: MOST_ALIASES });
    return undefined;
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error;
    return { path: "", message: `an alias cannot be followed: ${unquoted(error)}` };
  }
}
