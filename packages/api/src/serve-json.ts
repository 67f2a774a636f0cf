/** Untrusted JSON. Its depth is measured before it is parsed: deep values parse well, and then overflow what walks them. */
import { MusterError } from "@muster/core/error.ts";

export const MAX_DEPTH = 32;

/** @throws MusterError `invalid_request` when the text is no JSON, is nested too deep, or holds half a character. */
export function parseJson(text: string): unknown {
  const deep = tooDeepAt(text);
  if (deep !== undefined) throw refused(`the body is nested more than ${MAX_DEPTH} levels deep`, text, deep);
  const value = parse(text);
  if (mayHoldSurrogates(text) && !isWellFormed(value)) throw refused("the body holds half a surrogate pair", text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refused("the body is not JSON", text, brokenAt(text) ?? text.length, error);
  }
}

function refused(message: string, text: string, position?: number, cause?: unknown): MusterError {
  if (position === undefined)
    return new MusterError("invalid_request", message, { issues: [{ path: "body", message }] });
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const place = `line ${line}, column ${position - before.lastIndexOf("\n")}`;
  const issues = [{ path: "body", message: `${message}: ${place}` }];
  return new MusterError("invalid_request", `${message}: ${place}`, { issues, position }, cause);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(sign)) depth++;
    else if (CLOSING.has(sign)) depth--;
    if (depth > MAX_DEPTH) return at;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === BACKSLASH) at++;
    else if (sign === QUOTE) return at;
  }
  return text.length;
}

/** Whether a closer look is worth its time. */
const mayHoldSurrogates = (text: string): boolean => /\\ud[89a-f]/i.test(text) || !text.isWellFormed();

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}

/** What may come next: a value, a value or `]`, a key, a key or `}`, a colon, or what follows a value. */
type Expected = "value" | "first value" | "key" | "first key" | "colon" | "next";

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;

/**
 * Offset of the first character that cannot stand where it stands; undefined when the text is JSON. Only for telling:
 * engines say the place of some mistakes and not of others.
 */
export function brokenAt(text: string): number | undefined {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = after(SPACE, text, 0);
  while (at < text.length) {
    const end = tokenEnd(text, at, expected);
    if (end.broken) return end.at;
    const next = step(text.charAt(at), expected, open);
    if (next === undefined) return at;
    expected = next;
    at = after(SPACE, text, end.at);
  }
  return expected === "next" && open.length === 0 ? undefined : text.length;
}

/** Where the token ends that starts here. */
function tokenEnd(text: string, at: number, expected: Expected): { readonly at: number; readonly broken?: boolean } {
  const sign = text.charAt(at);
  if ("{}[],:".includes(sign)) return { at: at + 1 };
  if (sign !== '"') {
    const end = expected.endsWith("value") ? after(SCALAR, text, at) : at;
    return { at: end, broken: end === at };
  }
  if (expected === "colon" || expected === "next") return { at, broken: true };
  const end = after(STRING, text, at);
  return end < text.length && text.charAt(end) === '"' ? { at: end + 1 } : { at: end, broken: true };
}

/** What may follow the token; undefined when it may not stand here. */
function step(sign: string, expected: Expected, open: string[]): Expected | undefined {
  if (sign === "}" || sign === "]") return close(sign, expected, open);
  if (sign === ":") return expected === "colon" ? "value" : undefined;
  if (sign === ",") return expected === "next" ? follow(open.at(-1)) : undefined;
  if (expected.endsWith("key")) return sign === '"' ? "colon" : undefined;
  return expected.endsWith("value") ? begin(sign, open) : undefined;
}

function begin(sign: string, open: string[]): Expected {
  if (sign !== "{" && sign !== "[") return "next";
  open.push(sign);
  return sign === "{" ? "first key" : "first value";
}

function close(sign: string, expected: Expected, open: string[]): Expected | undefined {
  const [opening, empty] = sign === "}" ? ["{", "first key"] : ["[", "first value"];
  if (open.at(-1) !== opening || (expected !== "next" && expected !== empty)) return undefined;
  open.pop();
  return "next";
}

function follow(opening: string | undefined): Expected | undefined {
  if (opening === undefined) return undefined;
  return opening === "{" ? "key" : "value";
}

function after(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
