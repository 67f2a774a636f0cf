/** Ran against: the reader of untrusted JSON, beside the engine's own JSON.parse. */

import { brokenAt, MAX_DEPTH, parseJson } from "@muster/api/serve-json.ts";
import { MusterError } from "@muster/core/error.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

function refusal(text: string): MusterError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof MusterError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text.slice(0, 40)}`);
}

test("32 levels are read and 33 are not, whatever is in strings", () => {
  const nested = (depth: number, inner = "") => `${"[".repeat(depth)}${inner}${"]".repeat(depth)}`;
  expect(parseJson(nested(MAX_DEPTH))).toBeInstanceOf(Array);
  expect(parseJson(`["${"[{".repeat(100)}\\"${"[".repeat(100)}"]`)).toHaveLength(1);
  expect(refusal(nested(MAX_DEPTH + 1)).message).toContain("more than 32 levels");
  expect(refusal('{"a":'.repeat(33)).message).toContain("more than 32 levels");
  // Siblings are not depth.
  expect(parseJson(`[${"[],".repeat(1000)}[]]`)).toHaveLength(1001);
});

test("a million brackets are refused at once", () => {
  for (const sign of ["[", '{"a":', "[[]"]) {
    const begun = performance.now();
    refusal(sign.repeat(200_000));
    expect(performance.now() - begun).toBeLessThan(500);
  }
});

test("a mistake is told with its place", () => {
  for (const [text, position] of [
    ['{"a": }', 6],
    ['{"a": 1,}', 8],
    ["[1 2]", 3],
    ['{"a" 1}', 5],
    ["", 0],
    ['{"a": [1, 2', 11],
    ['"tab\there"', 4],
    ['"\\x"', 1],
    ["{]", 1],
    ["nul", 0],
    ["[01]", 2],
    ["{} {}", 3],
    ["\ufeff{}", 0],
    ["NaN", 0],
    ["{'a': 1}", 1],
    [`{"run": "${"x".repeat(30)}", "key": undefined, "key2": undefined}`, 49],
  ] as const) {
    const error = refusal(text);
    expect([text, error.details.position]).toEqual([text, position]);
    expect(error.code).toBe("invalid_request");
  }
  expect(refusal('{\n  "a": 1,\n  b: 2\n}').message).toBe("the body is not JSON: line 3, column 3");
});

test("half a surrogate pair is refused, raw or escaped; whole ones and backslashes are not", () => {
  for (const text of ['"\\ud800"', '{"\\uDFFF": 1}', '[["\\ud83dx"]]', '"\ud800"'])
    expect(refusal(text).message).toBe("the body holds half a surrogate pair");
  for (const text of ['"\\ud83d\\ude00"', '"😀"', '"\\\\ud800"', '{"run":"echo \'\\\\ud83d\'"}'])
    expect(parseJson(text)).toEqual(JSON.parse(text));
});

test("numbers, duplicate keys and __proto__ are what JSON.parse makes of them", () => {
  for (const text of ["1e309", "-0", "9007199254740993", '{"a":1,"a":2}', '{"__proto__":{"x":1}}', '"\\u0000"'])
    expect(parseJson(text)).toEqual(JSON.parse(text));
  expect((parseJson('{"__proto__":{"x":1}}') as { x?: number }).x).toBeUndefined();
});

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

const scraps = fc
  .array(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      "1",
      "-",
      "0",
      ".",
      "e",
      "true",
      "nul",
      " ",
      "\n",
      "\\",
      "\\u12",
      "\u0001",
      "x",
    ),
    { maxLength: 14 },
  )
  .map(parts => parts.join(""));
const damaged = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", '"', "\\", "0", "\u0000", "]"))
  .map(([text, at, sign]) => text.slice(0, at % (text.length + 1)) + sign + text.slice((at % (text.length + 1)) + 1));

test("the place of a mistake is found exactly when there is one", () => {
  fc.assert(
    fc.property(fc.oneof(scraps, damaged, fc.json(), fc.string()), text => {
      expect(brokenAt(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 20_000 },
  );
});

test("up to the place of a mistake, the text could still have become JSON", () => {
  fc.assert(
    fc.property(damaged, text => {
      const at = brokenAt(text);
      // What stands before the mistake is not broken itself, other than by its end.
      if (at !== undefined) expect(brokenAt(text.slice(0, at)) ?? at).toBe(at);
    }),
    { numRuns: 5_000 },
  );
});

test("a string of a megabyte that never ends is measured without trouble", () => {
  expect(refusal(`"${"a".repeat(1_000_000)}`).details.position).toBe(1_000_001);
  expect(refusal(`"${"\\n".repeat(500_000)}`).details.position).toBe(1_000_001);
});
