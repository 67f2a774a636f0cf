/** Names of any bytes, through the agent's own code to the local store and back; the control plane's reader reads them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Clock } from "../../packages/agent/src/control/clock.ts";
import { Journal } from "../../packages/agent/src/journal.ts";
import { bytesOf, keyOf, rawOf, spelled, unspelled } from "../../packages/agent/src/keep/names.ts";
import { within } from "../../packages/agent/src/keep/scan.ts";
import { Store } from "../../packages/agent/src/keep/store.ts";
import type { Limits } from "../../packages/agent/src/outputs/list.ts";
import { keep } from "../../packages/agent/src/outputs/outputs.ts";
import { patternOf, rootsOf } from "../../packages/agent/src/outputs/places.ts";
import { segmentsOf } from "../../packages/cli/src/artifacts/place.ts";
import { Depot } from "./support/depot.ts";

let depot: Depot;
beforeAll(async () => {
  depot = await Depot.open();
});
afterAll(() => depot[Symbol.asyncDispose]());

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

let runs = 0;
/** Keeps a folder's content as an attempt of its own would. */
async function kept(out: string, { limits, patience }: { limits?: Limits; patience?: number } = {}) {
  const prefix = `outputs/w/job/${String(++runs).padStart(8, "0")}/00000/`;
  const folder = mkdtempSync(join(tmpdir(), "ma-kept-"));
  folders.push(folder);
  const said: string[] = [];
  const halt = new AbortController().signal;
  const store = new Store({
    policy: await depot.policy(prefix),
    clock: new Clock(),
    journal: new Journal(join(folder, "journal")),
    refresh: () => undefined,
    halt,
    ...(patience !== undefined && { patience }),
  });
  const result = await keep({
    folder,
    places: [out],
    home: "/nowhere",
    workdir: "/nowhere",
    owner: undefined,
    store,
    halt,
    say: line => void said.push(line),
    ...(limits && { limits }),
  });
  return { result, said, ...(await depot.manifest(`${prefix}list/`, prefix)) };
}

function folderOf(): string {
  const folder = mkdtempSync(join(tmpdir(), "ma-names-"));
  folders.push(folder);
  mkdirSync(join(folder, "o"));
  return join(folder, "o");
}

const byte = fc.oneof(
  fc.integer({ min: 1, max: 255 }),
  fc.constantFrom(...[..."\n\r\t \\\"'%=.~-_:*?<>|aA0\u007f"].map(char => char.charCodeAt(0))),
);
const ofBytes = (most: number) =>
  fc.array(byte, { minLength: 1, maxLength: most }).map(bytes => Buffer.from(bytes).toString("latin1"));
const name = fc
  .oneof(
    ofBytes(12),
    ofBytes(255),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).map(rawOf),
    fc.constantFrom("...", "..a", "=2E", "e\u0301", "\u00e9").map(rawOf),
  )
  .map(text => text.replaceAll(/[/\0]/g, "_"))
  .filter(text => text.length <= 255 && text !== "." && text !== "..");
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map(parts => parts.join("/"));

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

test("every path is spelled so that it comes back, and has a key of its own that every store takes", () => {
  const keys = new Map<string, string>();
  verify(
    fc.property(path, raw => {
      expect(unspelled(JSON.parse(JSON.stringify(spelled(raw))))).toBe(raw);
      const key = keyOf(raw);
      expect(key).toMatch(/^(?:[\w.=-]+\/)*[\w.=-]+$/);
      expect(key.split("/").some(part => part === "." || part === "..")).toBe(false);
      expect(key.length).toBeLessThanOrEqual(700);
      expect(keys.get(key) ?? raw).toBe(raw);
      keys.set(key, raw);
      const segments = segmentsOf(spelled(raw));
      expect(segments.map(one => one.toString("latin1")).join("/")).toBe(raw);
    }),
    { numRuns: 5000 },
  );
});

test("files of hostile names are kept and read back byte for byte", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), async names => {
      const out = folderOf();
      for (const [index, raw] of names.entries()) {
        const folder = Buffer.concat([Buffer.from(`${out}/`), bytesOf(raw)]);
        if (index % 2 === 0) writeFileSync(folder, raw, "latin1");
        else {
          mkdirSync(folder);
          writeFileSync(Buffer.concat([folder, Buffer.from("/"), bytesOf(raw)]), raw, "latin1");
        }
      }
      const { entries, result } = await kept(out);
      const wanted = names.map((raw, index) => (index % 2 === 0 ? `o/${raw}` : `o/${raw}/${raw}`));
      expect(entries.map(unspelled).toSorted()).toEqual(wanted.toSorted());
      expect(result).toMatchObject({ files: names.length, failed: 0 });
      for (const entry of entries) {
        const raw = unspelled(entry);
        expect((await depot.bytes(entry)).toString("latin1")).toBe(raw.slice(raw.lastIndexOf("/") + 1));
      }
    }),
    { numRuns: 15 },
  );
}, 30_000);

test("a path of four thousand bytes is kept", async () => {
  const out = folderOf();
  const parts = Array.from({ length: 14 }, (_, index) => String.fromCharCode(97 + index).repeat(250));
  mkdirSync(join(out, ...parts), { recursive: true });
  writeFileSync(join(out, ...parts, "f"), "deep");
  const { entries } = await kept(out);
  expect(entries.map(entry => entry.path)).toEqual([`o/${parts.join("/")}/f`]);
  expect(String(await depot.bytes(entries[0] ?? expect.fail()))).toBe("deep");
});

test("what is beyond the limits is left out, and the log says how much and why", async () => {
  const out = folderOf();
  for (const size of [1, 2, 3, 4]) writeFileSync(join(out, `${size}`), "x".repeat(size));
  const files = await kept(out, { limits: { files: 3, bytes: 1000 } });
  expect(files.result).toEqual({ files: 3, bytes: 6, failed: 0 });
  expect(files.said).toEqual(["outputs: 3 files kept, 6 B; left out: 1 files beyond the first 3"]);
  const bytes = await kept(out, { limits: { files: 10, bytes: 7 } });
  expect(bytes.said).toEqual(["outputs: 3 files kept, 6 B; left out: 1 files that would make it more than 7 B"]);
});

test("a store that is out of reach is given up, and no end is told", async () => {
  const out = folderOf();
  writeFileSync(join(out, "a"), "a");
  depot.fault = "cut";
  const { result, said, end } = await kept(out, { patience: 300 });
  depot.fault = undefined;
  expect([result, end]).toEqual([{ files: 0, bytes: 0, failed: 1 }, undefined]);
  expect(said).toEqual([
    "outputs: given up, since the store could not be reached for 0 minutes: 1 file could not be kept",
  ]);
});

test("folders of any depth, said again and again, are no more than said once", () => {
  const home = mkdtempSync(join(tmpdir(), "ma-deep-"));
  folders.push(home);
  const [root] = rootsOf([`${"**/".repeat(14)}x`], { home, workdir: home }).roots;
  const deep = "a/".repeat(40);
  expect([`${deep}x`, `${deep}b`, "x"].map(path => root?.wants(rawOf(path)))).toEqual([true, false, true]);
});

test.each([
  ["*.json", ["a.json", "a.json/x"], ["b/a.json", ".a.json", "a.jso"]],
  ["**/*.json", ["a.json", "b/a.json", "b/c/a.json"], ["b/a.jsonx"]],
  ["run-[0-9]/best?.pt", ["run-1/best1.pt", "run-2/besté.pt"], ["run-x/best1.pt", "run-1/best12.pt"]],
  ["[!a]*", ["b", "b/a"], ["a", "ab"]],
  ["a.(b)+", ["a.(b)+"], ["aa(b)+", "a.b"]],
  ["[z-a]", ["[z-a]"], ["z"]],
])("the pattern %s", (pattern, taken, left) => {
  const { wants, enters } = patternOf(pattern.split("/").map(rawOf));
  for (const one of taken) {
    expect([one, wants(rawOf(one))]).toEqual([one, true]);
    for (let at = one.indexOf("/"); at > 0; at = one.indexOf("/", at + 1))
      expect([one, enters(rawOf(one.slice(0, at)))]).toEqual([one, true]);
  }
  for (const one of left) expect([one, wants(rawOf(one))]).toEqual([one, false]);
});

test.each([
  ["a", "b", "b"],
  ["a/b", "../c", "../c"],
  ["a/b", "../../c", undefined],
  ["a", "..", undefined],
  ["a/b/c", "../x/../../../y", undefined],
  ["a/b", "/base/x/y", "../x/y"],
  ["a", "/base", undefined],
  ["a", "/basement/x", undefined],
  ["a", "/etc/passwd", undefined],
])("a link at %s to %s", (at, target, expected) => expect(within(at, target, ["/base"])).toBe(expected));
