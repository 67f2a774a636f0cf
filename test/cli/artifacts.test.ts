/** Fetching artifacts: the command line's own code, and a store that is the local adapter of blobs behind a server of ours. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Artifact } from "@muster/core/output/output.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { fetchTo } from "../../packages/cli/src/artifacts/fetch.ts";
import { matcher } from "../../packages/cli/src/artifacts/pattern.ts";
import { makeFolders, segmentsOf, shown, staysInside } from "../../packages/cli/src/artifacts/place.ts";
import { Depot } from "../agent/support/depot.ts";
import { clear, temporary } from "./support/folder.ts";

let depot: Depot;
beforeAll(async () => {
  depot = await Depot.open();
});
afterAll(() => depot[Symbol.asyncDispose]());
afterEach(clear);

const TEXT = "0123456789abcdefghij";

/** An artifact of these pieces; `fresh` lists it again. */
async function artifact(pieces: readonly string[], lives = 60_000): Promise<Artifact> {
  const text = pieces.join("");
  const parts = pieces.map(async (piece, index) => {
    const key = `outputs/${createHash("sha256").update(text).digest("hex")}/${index}`;
    await depot.blobs.put(key, Buffer.from(piece));
    return { url: await depot.blobs.signedGet(key, Date.now() + lives), size: piece.length };
  });
  return {
    ...{ path: "o/f", size: text.length, mode: 0o4750, mtime: 1_700_000_000_000, rank: 0, fence: 1 },
    sha256: createHash("sha256").update(text).digest("hex"),
    parts: await Promise.all(parts),
  };
}

async function fetched(root: string, ...listed: Artifact[]): Promise<{ text: string; bytes: number; asked: number }> {
  const counts = { bytes: 0, asked: 0 };
  await fetchTo(Buffer.from(root), segmentsOf({ path: "f" }), {
    now: () => listed[Math.min(counts.asked, listed.length - 1)] ?? expect.fail(),
    again: async () => void counts.asked++,
    onProgress: bytes => {
      counts.bytes += bytes;
    },
    signal: new AbortController().signal,
    firstPauseMs: 1,
  });
  return { text: readFileSync(join(root, "f"), "utf8"), ...counts };
}

const partOf = (root: string): string => {
  const name = createHash("sha256").update("f").digest("hex").slice(0, 20);
  return join(root, `.${name}.muster-part`);
};

test.each([[[TEXT]], [["0123456789", "abcdefghij"]], [["0123", "4567", "89abcdefghij"]], [[""]]])(
  "a file of the pieces %j comes whole, with its time and mode",
  async pieces => {
    const root = temporary();
    const text = pieces.join("");
    expect(await fetched(root, await artifact(pieces))).toEqual({ text, bytes: text.length, asked: 0 });
    const { mode, mtimeMs } = statSync(join(root, "f"));
    // Nobody becomes another user by what a job has written.
    expect([mode & 0o7777, mtimeMs]).toEqual([0o750, 1_700_000_000_000]);
    expect(readdirSync(root)).toEqual(["f"]);
  },
);

test.each([0, 1, 4, 5, 9, 10, 19, 20])("what is here of %i bytes is not fetched again", async here => {
  const root = temporary();
  const pieces = ["0123", "456789", "abcdefghij"];
  const one = await artifact(pieces);
  writeFileSync(partOf(root), TEXT.slice(0, here));
  // Whatever is here whole need not be there.
  const parts = one.parts.map((part, index) => {
    const end = pieces.slice(0, index + 1).join("").length;
    return end <= here ? { ...part, url: `${depot.url}/blobs/gone` } : part;
  });
  expect(await fetched(root, { ...one, parts })).toEqual({ text: TEXT, bytes: 20, asked: 0 });
});

test("what is here and wrong is fetched anew; a URL that has ended is asked for again", async () => {
  const root = temporary();
  writeFileSync(partOf(root), "WRONG");
  expect(await fetched(root, await artifact([TEXT]))).toMatchObject({ text: TEXT, bytes: 20, asked: 1 });
  writeFileSync(partOf(root), "longer than all of it can ever be");
  expect(await fetched(root, await artifact([TEXT], -1000), await artifact([TEXT]))).toMatchObject({ asked: 1 });
});

test("bytes that are others never get to their place", async () => {
  const root = temporary();
  const one = { ...(await artifact([TEXT])), sha256: "0".repeat(64) };
  await expect(fetched(root, one)).rejects.toMatchObject({ code: "unavailable" });
  expect(readdirSync(root)).toEqual([]);
});

test.each(["", "/etc/x", "../x", "a/../x", "a//b", "./a", "a/", "a\0b"])("%j is no path to write to", path => {
  expect(() => segmentsOf({ path })).toThrow(expect.objectContaining({ code: "invalid_request" }));
  const pathBytes = Buffer.from(path).toString("base64");
  expect(() => segmentsOf({ path: "ok", pathBytes })).toThrow(expect.objectContaining({ code: "invalid_request" }));
});

test("no folder is made through a link, or where a file is", async () => {
  const root = temporary();
  mkdirSync(join(root, "real"));
  symlinkSync("real", join(root, "link"));
  writeFileSync(join(root, "file"), "");
  utimesSync(join(root, "file"), 1, 1);
  const make = (path: string) => makeFolders(Buffer.from(root), segmentsOf({ path }), new Set());
  await make("real/a/b");
  expect(readdirSync(join(root, "real"))).toEqual(["a"]);
  for (const path of ["link/a/b", "file/b"]) await expect(make(path)).rejects.toMatchObject({ code: "conflict" });
});

describe("links", () => {
  test.each([
    ["a", "b", true],
    ["d/a", "../b", true],
    ["a", "../b", false],
    ["d/a", "../../b", false],
    ["d/a", "x/../../../b", false],
    ["a", "/etc/passwd", false],
    ["a", "", false],
  ])("at %s to %s", (path, target, stays) => expect(staysInside(segmentsOf({ path }), target)).toBe(stays));
});

test.each([
  [undefined, ["a", "b/c"], []],
  ["*.json", ["a.json", "x/y/b.json"], ["a.jsonl", "json"]],
  ["results", ["results/a", "x/results", "results"], ["results2/a"]],
  ["results/", ["results/a"], ["a"]],
  ["./results/*.pt", ["results/a.pt"], ["results/x/a.pt", "a.pt"]],
  ["results/**/best.pt", ["results/best.pt", "results/a/b/best.pt"], ["best.pt"]],
  ["a?c/**", ["abc/x", "abc/x/y"], ["ac/x"]],
  ["a.b+(c)[d]", ["a.b+(c)[d]"], ["aXb+(c)[d]", "a.b+(c)d"]],
])("the pattern %s", (pattern, taken, left) => {
  const matches = matcher(pattern);
  for (const path of taken) expect([path, matches(path)]).toEqual([path, true]);
  for (const path of left) expect([path, matches(path)]).toEqual([path, false]);
});

test("names that would move a cursor are shown as text", () => {
  expect(["a b", "é", "a\n", "\u001b[2J", "\u202etxt"].map(path => shown({ path }))).toEqual([
    "a b",
    "é",
    '"a\\n"',
    '"\\u001b[2J"',
    '"\u202etxt"',
  ]);
});
