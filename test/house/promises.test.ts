/** The page of promises names tests that are there, and invariants that the simulation watches. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const page = readFileSync("designs/023-promises.md", "utf8");
const rows = page.split("\n").filter(line => /^\| P\d+ /.test(line));

/** Paths, each with the words that stand in the name of one of its tests; none: the file's all. */
const named = rows.flatMap(row =>
  [...row.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)].map(([, path = "", words = ""]) => ({ path, words })),
);
const invariants = rows.flatMap(row => row.match(/\bI\d+\b/g) ?? []);

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(name => name.endsWith(".ts"))
    .map(name => readFileSync(join(folder, name), "utf8"));

test("every promise is held by something", () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) expect(row).toMatch(/simulation I\d|`test\//);
});

test.each(named)("$path $words", ({ path, words }) => {
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toContain(words);
});

test("the invariants are watched", () => {
  const watched = sources("test/simulation").join("\n");
  expect(invariants.filter(name => !watched.includes(`"${name}"`))).toEqual([]);
});
