/** Patterns of branches and paths, against those of GitHub's documentation, and against a slow reading of what they mean. */
import { fits, lets } from "@muster/core/hook/glob.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

test.each([
  ["feature/*", ["feature/my-branch", "feature/your-branch"], ["feature/beta-a/my-branch", "feature"]],
  ["feature/**", ["feature/beta-a/my-branch", "feature/mona/the/octocat"], ["feature", "features/x"]],
  ["main", ["main"], ["main2", "xmain", "Main"]],
  ["*", ["main", "releases"], ["all/the/branches"]],
  ["**", ["all/the/branches", "every/tag", ""], []],
  ["*feature", ["mona-feature", "feature", "ver-10-feature"], ["x/feature"]],
  ["v2*", ["v2", "v2.0", "v2.9"], ["v3"]],
  ["*.js", ["app.js", "index.js"], ["js/index.js"]],
  ["**.js", ["index.js", "js/index.js", "src/js/app.js"], ["index.jsx"]],
  ["docs/*", ["docs/README.md"], ["docs/mona/octocat.txt"]],
  ["docs/**", ["docs/README.md", "docs/mona/octocat.txt"], ["src/docs"]],
  ["docs/**/*.md", ["docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"], ["docs/a.txt"]],
  ["**/docs/**", ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["mydocs/x"]],
  ["**/README.md", ["README.md", "js/README.md"], ["js/XREADME.md"]],
  ["**/*src/**", ["a/src/app.js", "my-src/code/js/app.js"], ["src.js"]],
  ["v?", ["v1", "v2"], ["v", "v10", "v/"]],
  ["a.b", ["a.b"], ["axb"]],
  ["(x)[y]{1}$", ["(x)[y]{1}$"], ["xy"]],
] as const)("%s", (pattern, yes, no) => {
  expect([...yes].filter(text => !fits(pattern, text))).toEqual([]);
  expect([...no].filter(text => fits(pattern, text))).toEqual([]);
});

test("the last pattern that fits decides, and those that only take out let in everything else", () => {
  expect(lets(["releases/**", "!releases/**-alpha"], "releases/10")).toBe(true);
  expect(lets(["releases/**", "!releases/**-alpha"], "releases/10-alpha")).toBe(false);
  expect(lets(["releases/**", "!releases/**-alpha", "**/3-alpha"], "releases/3-alpha")).toBe(true);
  expect(lets(["!docs/**"], "src/a.ts")).toBe(true);
  expect(lets(["!docs/**"], "docs/a.md")).toBe(false);
  expect(lets([], "x")).toBe(true);
});

describe("what they mean", () => {
  const part = fc.constantFrom("*", "**", "**/", "?", "a", "b", "/", "ab/");

  /** Tried in every way, and so with texts that are short. */
  function slow(tokens: readonly string[], text: string): boolean {
    const [token, ...rest] = tokens;
    if (token === undefined) return text === "";
    const heads = Array.from({ length: text.length + 1 }, (_, end) => text.slice(0, end));
    return heads.some(head => isOf(token, head) && slow(rest, text.slice(head.length)));
  }

  function isOf(token: string, head: string): boolean {
    if (token === "**") return true;
    if (token === "**/") return head === "" || head.endsWith("/");
    if (token === "*") return !head.includes("/");
    return token === "?" ? head.length === 1 && head !== "/" : head === token;
  }

  test("10,000 random patterns fit what they should", () => {
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 5 }),
        fc.array(fc.constantFrom("a", "b", "/"), { maxLength: 8 }),
        (tokens, letters) => {
          const pattern = tokens.join("");
          const meant = pattern.match(/\*\*\/?|./g) ?? [];
          expect(fits(pattern, letters.join(""))).toBe(slow(meant, letters.join("")));
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test("the worst pattern over a long path takes as many steps as their lengths say", () => {
    expect(fits("**a".repeat(85), `${"a".repeat(4000)}b`)).toBe(false);
    expect(fits("*".repeat(256), "x".repeat(4000))).toBe(true);
  });
});
