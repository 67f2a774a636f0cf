/** What is to be installed, as text and as maps. Pure. */
import { expect, test } from "vitest";
import { read } from "./support.ts";

const packages = (item: string) => read(`packages:\n  - ${item}\n`).draft.task.packages;

test.each([
  ["torch", { method: "pip", source: "torch" }],
  ["torch==2.4", { method: "pip", source: "torch==2.4" }],
  ["pip:torch==2.4", { method: "pip", source: "torch==2.4" }],
  ["'PIP:torch[cuda]>=2,<3'", { method: "pip", source: "torch[cuda]>=2,<3" }],
  ["conda:ffmpeg", { method: "conda", source: "ffmpeg" }],
  ["reqs:./", { method: "reqs", source: "./" }],
  ["reqs:./lib/requirements.txt", { method: "reqs", source: "./lib/requirements.txt" }],
  ["local:./lib", { method: "local", source: "./lib" }],
  ["./", { method: "reqs", source: "./" }],
  ["~/code/lib", { method: "reqs", source: "~/code/lib" }],
  ["lib/inner", { method: "reqs", source: "lib/inner" }],
  ["..", { method: "reqs", source: ".." }],
  ["https://example.org/a.whl", { method: "pip", source: "https://example.org/a.whl" }],
  ["pip:https://example.org/a.whl", { method: "pip", source: "https://example.org/a.whl" }],
])("%s", (item, wanted) => {
  expect(packages(item)).toEqual([{ args: [], ...wanted }]);
});

test.each([
  ["pip:torch --index-url https://example.org/cu124", ["--index-url", "https://example.org/cu124"]],
  ["torch   --pre", ["--pre"]],
  [`'pip:torch --global-option "a b"'`, ["--global-option", "a b"]],
])("what stands behind a space in %s is for the installer", (item, args) => {
  expect(packages(item)).toMatchObject([{ source: "torch", args }]);
});

test.each([
  ["https://github.com/you/lib", { method: "pip", source: "https://github.com/you/lib" }],
  ["pip:https://github.com/you/lib@v2", { method: "pip", source: "https://github.com/you/lib", revision: "v2" }],
  [
    "local:https://github.com/you/lib.git@0a1b2c",
    { method: "local", source: "https://github.com/you/lib.git", revision: "0a1b2c" },
  ],
  ["reqs:https://github.com/you/lib", { method: "reqs", source: "https://github.com/you/lib" }],
  [
    "git+https://git.example/you/lib.git@main",
    { method: "pip", source: "https://git.example/you/lib.git", revision: "main" },
  ],
  ["ssh://git@github.com/you/lib.git", { method: "pip", source: "ssh://git@github.com/you/lib.git" }],
])("%s is a git repository", (item, wanted) => {
  expect(packages(item)).toEqual([{ args: [], ...wanted }]);
});

test("a map says the same", () => {
  expect(packages("{ method: Pip, source: torch, args: --pre }")).toEqual(packages("pip:torch --pre"));
  expect(packages("{ source: torch, args: [--pre, '-q'] }")).toEqual(packages("torch --pre -q"));
  expect(packages("{ source: https://github.com/you/lib, revision: v2 }")).toEqual(
    packages("https://github.com/you/lib@v2"),
  );
});

test("SkyPilot's files may have them, too, when they are said to be SkyPilot's", () => {
  const text = "resources: { infra: aws }\npackages: [torch]\n";
  const { dialect, draft } = read(text, { dialect: "skypilot" });
  expect(read(text).dialect).toBe("muster");
  expect([dialect, draft.task.packages]).toEqual(["skypilot", [{ method: "pip", source: "torch", args: [] }]]);
});
