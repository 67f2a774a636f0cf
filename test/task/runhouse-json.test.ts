/** Runhouse's arguments as text: what of JSON is taken, and what is refused. Pure. */
import { sentence } from "@muster/task/read.ts";
import { parseJson } from "@muster/task/runhouse/json.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { given } from "./runhouse-support.ts";
import { problems } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

describe("JSON", () => {
  const broken = (text: string): string[] => problems(text, given).map(sentence);
  test.each([
    ['{\n  "name": x\n}', "(line 2): not valid JSON at column 11: a value is expected here"],
    ['{\n  "name" "x"}', "(line 2): not valid JSON at column 10: a colon is expected here"],
    ['{"name": "x" "y": 1}', "(line 1): not valid JSON at column 14: a comma or } is expected here"],
    ['["x" 1]', "(line 1): not valid JSON at column 6: a comma or ] is expected here"],
    ["{name: 1}", "(line 1): not valid JSON at column 2: a key in double quotes is expected here"],
    ['{"name": "x",}', "(line 1): not valid JSON at column 14: a key in double quotes is expected here"],
    [
      '{"name": "x\ny"}',
      "(line 1): not valid JSON at column 10: text begins here that does not end on its line, or has an escape that JSON lacks",
    ],
    [
      '{"name": "\\x"}',
      "(line 1): not valid JSON at column 10: text begins here that does not end on its line, or has an escape that JSON lacks",
    ],
    ['{\n\n\n  "name": x\n}', "(line 4): not valid JSON at column 11: a value is expected here"],
    ['{"name": ', "(line 1): not valid JSON at column 10: the end is missing"],
    ['{"name": "x"} {}', "(line 1): not valid JSON at column 15: there is more after the end of the value"],
    ['{"a": 01}', "(line 1): not valid JSON at column 8: a comma or } is expected here"],
    [`${"[".repeat(40)}${"]".repeat(40)}`, "(line 1): not valid JSON at column 34: it is nested deeper than 32 levels"],
    ['{"__proto__": 1}', "__proto__ (line 1): is not a name that may be used"],
    ['{"name": "a\\u0000"}', "name (line 1): has a NUL character, which no script can be given"],
    [
      '{"name": "a",\n "name": "b", "instance_type": "CPU:1"}',
      "name (line 2): is there twice: on line 1, and again here",
    ],
    [" \n", "there is nothing in it; a cluster has at least a name and an instance_type"],
    [`"${"x".repeat(300_000)}"`, "the file is 293 KB; a task file has 256 KB at most"],
  ])("%#", (text, message) => {
    expect(broken(text)).toEqual([message]);
  });

  /** The value of a tree. */
  type Tree = ReturnType<typeof parseJson>["documents"][number]["root"];
  const plain = (node: Tree): unknown => {
    if (node.kind === "list") return node.items.map(plain);
    if (node.kind === "scalar") return node.value;
    return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
  };

  test("whatever JSON.parse takes comes out of it the same, and nothing else is taken", () => {
    const scraps = fc.array(
      fc.constantFrom(
        ...'{ } [ ] , : " \\ 1 -0.5e3 true nul null "a" "\\u00e9" \n \t 1. .5 +1 \'a\' //'.split(" "),
        " ",
      ),
      { maxLength: 12 },
    );
    const texts = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }).map(value => JSON.stringify(value)),
      fc.jsonValue({ maxDepth: 4 }).map(value => JSON.stringify(value, null, "\t")),
      scraps.map(parts => parts.join("")),
      fc.string(),
    );
    const attempt = <T>(act: () => T): T | undefined => {
      try {
        return act();
      } catch {
        return undefined;
      }
    };
    const property = fc.property(texts, text => {
      fc.pre(!/__proto__|\\u0000/.test(text) && text.trim() !== "");
      const wanted = attempt(() => ({ value: JSON.parse(text) }));
      const found = attempt(() => ({ value: parseJson(text).documents.map(({ root }) => plain(root))[0] }));
      expect(found).toEqual(wanted);
    });
    verify(property, { numRuns: 2000 });
  });

  test("a long file is read in no time", () => {
    const item = '{"name": "c", "instance_type": "CPU:2"}';
    const text = `[${Array.from({ length: 6000 }, () => item).join(",\n")}]`;
    const begun = performance.now();
    expect(parseJson(text).documents).toHaveLength(1);
    expect(parseJson(`"${"x".repeat(250_000)}"`).documents).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
