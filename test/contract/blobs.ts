/**
 * The contract of the Blobs port. Every adapter passes this suite as it stands; `blobs-*.test.ts` say which did.
 *
 * It uses prefixes of its own, so it can run on a bucket that holds other things. Failures of grants are told by status
 * (S3's own answers differ in wording), and by what was stored.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { announcedContract, policyContract, readContract } from "./blobs-grants.ts";
import { byBytes, bytes, fresh, keysOf, type Subject } from "./blobs-subject.ts";

export type { Subject } from "./blobs-subject.ts";

/** @param cannotStore names, of those used here, that an emulator behind the adapter does not take; its suite says so. */
export function blobsContract(
  name: string,
  open: () => Promise<Subject>,
  { cannotStore = [] }: { readonly cannotStore?: readonly string[] } = {},
): void {
  describe(`Blobs: ${name}`, () => {
    let current: Subject | undefined;
    beforeAll(async () => {
      current = await open();
    });
    afterAll(() => current?.close());
    const get = (): Subject => {
      if (current === undefined) throw new Error("the adapter is not open");
      return current;
    };
    describe("bytes", () => bytesContract(get));
    describe("lists", () => listContract(get));
    describe("keys", () => keyContract(get, cannotStore));
    describe("post policies", () => policyContract(get));
    describe("post policies for announced bytes", () => announcedContract(get));
    describe("signed reads", () => readContract(get));
  });
}

function bytesContract(get: () => Subject): void {
  test("what was put is there at once, whole, until it is removed", async () => {
    const { blobs, now } = get();
    const key = `${fresh()}a`;
    expect([await blobs.get(key), await blobs.head(key)]).toEqual([undefined, undefined]);
    const content = randomBytes(100_000);
    const before = now();
    await blobs.put(key, content);
    expect(Buffer.compare((await blobs.get(key)) ?? Buffer.of(), content)).toBe(0);
    const head = await blobs.head(key);
    expect(head).toEqual({ key, size: 100_000, writtenAt: expect.any(Number) });
    // S3 tells whole seconds.
    expect(head?.writtenAt).toBeGreaterThanOrEqual(before - 1000);
    expect(await blobs.list(key)).toEqual([head]);
    await blobs.remove(key);
    expect([await blobs.get(key), await blobs.head(key)]).toEqual([undefined, undefined]);
    expect(await blobs.list(key)).toEqual([]);
  });

  test("a blob may be empty, is replaced whole, and may be removed when it is not there", async () => {
    const { blobs } = get();
    const key = `${fresh()}a`;
    await blobs.remove(key);
    await blobs.put(key, bytes("a long one"));
    await blobs.put(key, bytes("short"));
    expect(Buffer.from((await blobs.get(key)) ?? []).toString()).toBe("short");
    await blobs.put(key, bytes(""));
    expect((await blobs.get(key))?.length).toBe(0);
    expect((await blobs.head(key))?.size).toBe(0);
    await blobs.remove(key);
    await blobs.remove(key);
  });

  test("of 20 writers of one key one wins, and its bytes are whole", async () => {
    const { blobs } = get();
    const key = `${fresh()}a/b/c`;
    const contents = Array.from({ length: 20 }, (_, n) => Buffer.alloc(50_000, n));
    await Promise.all(contents.map(content => blobs.put(key, content)));
    const found = Buffer.from((await blobs.get(key)) ?? []);
    expect(contents.filter(content => content.equals(found))).toHaveLength(1);
  });

  test("puts and removes side by side disturb each other nowhere", async () => {
    const { blobs } = get();
    const prefix = fresh();
    const rounds = Array.from({ length: 20 }, async (_, n) => {
      const key = `${prefix}shared/folder/${n}`;
      for (let round = 0; round < 15; round++) {
        await blobs.put(key, bytes(`${round}`));
        if (round < 14) await blobs.remove(key);
      }
    });
    await Promise.all(rounds);
    expect(await blobs.list(prefix)).toHaveLength(20);
  });
}

function listContract(get: () => Subject): void {
  const names = [
    "a",
    "a/b",
    "a-b",
    "a.b",
    "a/b/c",
    "a/b-c",
    "a0",
    "ab",
    "A",
    "A/b",
    "b/1",
    "b/10",
    "b/2",
    "é",
    "漢/字",
    "z=a",
    "z%41",
    "~",
    " ",
  ];
  const filled = async () => {
    const prefix = fresh();
    await Promise.all(names.map(name => get().blobs.put(`${prefix}${name}`, bytes(name))));
    return { prefix, sorted: names.toSorted(byBytes).map(name => `${prefix}${name}`) };
  };

  test("keys come in order of their bytes; a key may be the beginning of another", async () => {
    const { prefix, sorted } = await filled();
    expect(keysOf(await get().blobs.list(prefix))).toEqual(sorted);
    for (const name of names)
      expect(Buffer.from((await get().blobs.get(`${prefix}${name}`)) ?? []).toString()).toBe(name);
  });

  test("a prefix need not end where a segment does", async () => {
    const { prefix, sorted } = await filled();
    for (const start of [...names, "a/", "b/", "漢", "a/b/", "nothing", "nothing/at/all"]) {
      const expected = sorted.filter(key => key.startsWith(prefix + start));
      expect(keysOf(await get().blobs.list(prefix + start))).toEqual(expected);
    }
    expect(keysOf(await get().blobs.list(prefix.slice(0, -1)))).toEqual(sorted);
  });

  test("a list goes on after any key, whether it is there or not", async () => {
    const { prefix, sorted } = await filled();
    for (const after of [
      ...sorted,
      `${prefix}a/`,
      `${prefix}a/b/`,
      `${prefix}a/bb`,
      `${prefix}b/11`,
      `${prefix}zzz`,
      "",
      "zzz",
    ]) {
      const expected = sorted.filter(key => byBytes(key, after) > 0);
      expect(keysOf(await get().blobs.list(prefix, { after }))).toEqual(expected);
    }
  });

  test("pages of any size add up to the whole", async () => {
    const { prefix, sorted } = await filled();
    for (const limit of [1, 2, 5, 18, 19, 20]) {
      const found: string[] = [];
      for (;;) {
        const page = keysOf(await get().blobs.list(prefix, { after: found.at(-1) ?? "", limit }));
        expect(page.length).toBeLessThanOrEqual(limit);
        if (page.length === 0) break;
        found.push(...page);
      }
      expect(found).toEqual(sorted);
    }
  });

  test("a page has 1000 blobs at most", async () => {
    const prefix = fresh();
    const keys = Array.from({ length: 1003 }, (_, n) => `${prefix}${String(n).padStart(9, "0")}.run`);
    await Promise.all(keys.map(key => get().blobs.put(key, bytes(""))));
    const first = keysOf(await get().blobs.list(prefix));
    expect(first).toEqual(keys.slice(0, 1000));
    expect(keysOf(await get().blobs.list(prefix, { after: first.at(-1) ?? "" }))).toEqual(keys.slice(1000));
  }, 30_000);
}

function keyContract(get: () => Subject, cannotStore: readonly string[]): void {
  const bad = [
    "",
    "/a",
    "a/",
    "a//b",
    "..",
    "../a",
    "a/../b",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a\0b",
    "a\\b",
    "a\ud800",
    "x".repeat(1025),
    "é".repeat(513),
  ];
  test.each(bad)("%j is no key", async key => {
    const { blobs } = get();
    const invalid = expect.objectContaining({ code: "invalid_request" });
    for (const use of [
      () => blobs.put(key, bytes("x")),
      () => blobs.get(key),
      () => blobs.head(key),
      () => blobs.remove(key),
      () => blobs.signedGet(key, 1e15),
    ])
      await expect(use()).rejects.toEqual(invalid);
  });

  test("a key may be long, of any characters, and look like something else", async () => {
    const { blobs } = get();
    const prefix = fresh();
    const long = [
      "x".repeat(900),
      `${"x".repeat(899)}/y`,
      `${"x".repeat(228)}/y`,
      "漢".repeat(300),
      `${"X".repeat(114)}-`,
      `${"X".repeat(114)}/a`,
      "X".repeat(114),
    ];
    const odd = [
      "...",
      "..a",
      "a..",
      "%2e%2e",
      "CON",
      "a b+c&d=e?f#g",
      "a:b*c|d<e>f\"g'h",
      "\n",
      "a@",
      "a+",
      "a~/b",
      "e\u0301",
      "\u00e9",
    ];
    const names = [...long, ...odd].filter(name => !cannotStore.includes(name));
    const keys = names.map(name => prefix + name);
    await Promise.all(keys.map(key => blobs.put(key, bytes(key))));
    expect(keysOf(await blobs.list(prefix))).toEqual(keys.toSorted(byBytes));
    for (const key of keys) expect(Buffer.from((await blobs.get(key)) ?? []).toString()).toBe(key);
  });
}
