/**
 * Ran against: every regular expression that the document shows of a request's schemas, and every one that stands in the code
 * that reads requests, with ten thousand texts each, made to be nearly right and long. What it costs is compared with what
 * twice the text costs: one that goes back over what it has read costs four times as much, or far more.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { operations, resolved, type Schema } from "./spec.ts";

const STRINGS = 10_000;
const LONGEST = 1_000_000;

function patternsOf(given: Schema, seen: ReadonlySet<string> = new Set()): string[] {
  if (given.$ref !== undefined && seen.has(given.$ref)) return [];
  const known = given.$ref === undefined ? seen : new Set([...seen, given.$ref]);
  const schema = resolved(given);
  const { anyOf = [], oneOf = [], allOf = [], items, propertyNames, additionalProperties: more } = schema;
  const parts = [...anyOf, ...oneOf, ...allOf, ...Object.values(schema.properties ?? {})];
  for (const part of [items, propertyNames, typeof more === "object" ? more : undefined]) if (part) parts.push(part);
  return [...(schema.pattern === undefined ? [] : [schema.pattern]), ...parts.flatMap(part => patternsOf(part, known))];
}

const documented = operations.flatMap(({ path, query, body }) =>
  [...[...path, ...query].map(({ schema }) => schema), ...(body ? [body] : [])].flatMap(schema => patternsOf(schema)),
);

/** What stands between slashes in the code of these folders, as far as a regular expression can tell it. */
const LITERAL =
  /(?<=[(=,:?&|!{;[]\s*|return\s+|=>\s*)\/((?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)/g;
const ROOT = new URL("../../../packages/", import.meta.url).pathname;
const FOLDERS = ["core/src", "api/src", "node/src"];

const written = FOLDERS.flatMap(folder =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter(name => name.endsWith(".ts"))
    .flatMap(name => [...readFileSync(join(ROOT, folder, name), "utf8").matchAll(LITERAL)])
    .flatMap(([, source = "", flags = ""]) => (isPattern(source, flags) ? [[source, flags] as const] : [])),
);

function isPattern(source: string, flags: string): boolean {
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

const all = new Map<string, RegExp>();
for (const source of documented) all.set(`/${source}/`, new RegExp(source, "u"));
for (const [source, flags] of written) all.set(`/${source}/${flags}`, new RegExp(source, flags.replace(/[gy]/g, "")));

/** Signs that the expression names, and some that it may not. */
const signsOf = ({ source }: RegExp): string[] => [
  ...new Set([...source.replaceAll(/\\./g, "a0_ \n"), ..."aA0-._/ \n:\u{1f600}"]),
];

/** Numbers of chance, the same in each run (mulberry32). */
function* chances(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Beginnings that are right, again and again, with an end that is not: what makes an expression go back. */
function* texts(pattern: RegExp): Generator<string> {
  const signs = signsOf(pattern);
  const chance = chances(pattern.source.length);
  const upTo = (most: number) => Math.floor(chance.next().value * most);
  const scrap = () => Array.from({ length: 1 + upTo(6) }, () => signs[upTo(signs.length)]).join("");
  for (let made = 0; made < STRINGS; made++)
    yield scrap() + scrap().repeat(upTo(made % 50 === 0 ? 3_000 : 40)) + scrap();
}

/** ms of the fastest of three. */
function cost(pattern: RegExp, text: string): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const from = performance.now();
      pattern.test(text);
      return performance.now() - from;
    }),
  );
}

/** Not worth a second look, in ms. */
const QUICK = 1;
/** How much more the same text costs when it is four times as long: linear is 4, square 16. */
const STEEP = 10;
const MOST = 5;

test(`${all.size} expressions are found`, () => {
  expect(new Set(documented).size).toBeGreaterThanOrEqual(15);
  expect(all.size).toBeGreaterThanOrEqual(80);
});

/** Sign by sign longer: one whose cost doubles each time is told here, and not where it would never end. */
function expectNoExplosion(pattern: RegExp): void {
  for (const sign of signsOf(pattern).slice(0, 40))
    for (let length = 4; length <= 40; length += 2)
      expect(
        cost(pattern, `${sign.repeat(length)}!`),
        `${pattern} on ${length} of ${JSON.stringify(sign)}`,
      ).toBeLessThan(MOST);
}

test.each([...all])("%s", (_, pattern) => {
  expectNoExplosion(pattern);
  for (const text of texts(pattern)) {
    const from = performance.now();
    pattern.test(text);
    // Once may be the machine's fault; three times is the expression's.
    if (performance.now() - from > MOST) expect(cost(pattern, text), text.slice(0, 80)).toBeLessThan(MOST);
  }
});

/** The worst of a kind: one sign, or two by turns, a million times, with an end that fits and one that does not. */
test.each([...all])("%s on a megabyte", (_, pattern) => {
  const signs = signsOf(pattern).slice(0, 40);
  for (const sign of signs)
    for (const end of ["", "!", "\u0000"]) {
      const made = (length: number) => sign.repeat(Math.floor(length / sign.length)) + end;
      const short = cost(pattern, made(LONGEST / 40));
      if (short < QUICK) continue;
      const ratio = cost(pattern, made(LONGEST / 10)) / short;
      expect(ratio, `${pattern} on ${JSON.stringify(sign)}`).toBeLessThan(STEEP);
    }
});

test("the control: one that explodes is told before it does", () => {
  expect(() => expectNoExplosion(/^(a+)+$/)).toThrow(/a\+/);
});

test("the control: an expression that goes back is told", () => {
  const made = (length: number) => `${"a".repeat(length)}!`;
  expect(cost(/a+$/, made(40_000)) / cost(/a+$/, made(10_000))).toBeGreaterThan(STEEP);
});
