/** Ran against: the local blobs, on real files. What the port's contract leaves to the adapter. */
import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Actor } from "@muster/core/actor/actor.ts";
import { create } from "@muster/core/upload/create.ts";
import { compare, fileOf, read } from "@muster/local/blobs/keys.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut, open } from "./blobs-support.ts";

const code = (value: string) => expect.objectContaining({ code: value });
const hour = 3_600_000;

describe("files", () => {
  test("names hold no capitals and no odd characters, and are short enough for any disk", () => {
    const segment = fc.oneof(
      fc.string({ unit: "binary", minLength: 1 }),
      fc.string({ unit: "binary", minLength: 200, maxLength: 340 }),
    );
    const property = fc.property(
      segment.filter(text => text.isWellFormed() && !text.includes("/")),
      text => {
        const names = fileOf(text);
        for (const name of names) expect(name).toMatch(/^[a-z0-9._%=-]{0,254}[@~]$/);
        expect(names.map(name => read(name)?.text).join("")).toBe(text);
      },
    );
    fc.assert(property, { numRuns: 200 });
  }, 30_000);

  test("whatever keys there are, lists are what they are on a sorted array", async () => {
    const letters = fc.constantFrom("a", "B", "-", "0", "~", "é", "x".repeat(113), "X".repeat(57), "X".repeat(114));
    const segment = fc.array(letters, { minLength: 1, maxLength: 3 }).map(parts => parts.join(""));
    const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join("/"));
    const property = fc.asyncProperty(
      fc.uniqueArray(key, { minLength: 1, maxLength: 12 }),
      key,
      key,
      fc.nat(),
      async (keys, after, removed, at) => {
        const { blobs } = open();
        for (const each of keys) await blobs.put(each, Buffer.of(1));
        await blobs.remove(removed);
        const left = keys.filter(each => each !== removed).toSorted(compare);
        const some = keys[at % keys.length] ?? "";
        const prefix = some.slice(0, at % (some.length + 1));
        const found = await blobs.list(prefix, { after });
        expect(found.map(head => head.key)).toEqual(
          left.filter(each => each.startsWith(prefix) && compare(each, after) > 0),
        );
      },
    );
    await fc.assert(property, { numRuns: 50 });
  }, 30_000);

  test("a put that fails half-way leaves nothing, and the old blob in its place", async () => {
    const { blobs, edge, files, now } = open();
    await blobs.put("p/a", Buffer.from("old"));
    const { fields } = await blobs.postPolicy({ prefix: "p/", maxBytes: 1000, expiresAt: now() + hour });
    async function* breaking() {
      yield Buffer.from("new");
      throw new Error("the connection broke");
    }
    await expect(edge.accept(fields, "p/a", breaking())).rejects.toThrow("the connection broke");
    expect(Buffer.from((await blobs.get("p/a")) ?? []).toString()).toBe("old");
    expect(files()).toHaveLength(1);
  });

  test("what a crash left behind is swept after a day, by the first put of the next process", async () => {
    const { folder } = open();
    mkdirSync(join(folder, "incoming"));
    for (const name of ["recent", "stale"]) writeFileSync(join(folder, "incoming", name), "");
    const yesterday = (Date.now() - 25 * hour) / 1000;
    utimesSync(join(folder, "incoming", "stale"), yesterday, yesterday);
    const { blobs, files } = open(undefined, folder);
    await blobs.put("a", Buffer.of());
    expect(
      files()
        .map(file => file.name)
        .toSorted(),
    ).toEqual(["a@", "recent"]);
  });

  test("files that are not ours are not listed", async () => {
    const { blobs, folder } = open();
    await blobs.put("a", Buffer.of());
    writeFileSync(join(folder, "blobs", ".DS_Store"), "");
    expect((await blobs.list("")).map(head => head.key)).toEqual(["a"]);
  });

  test("a blob bears the time of the given clock", async () => {
    const { blobs, now, advance } = open();
    advance(123);
    await blobs.put("a", Buffer.of());
    expect((await blobs.head("a"))?.writtenAt).toBe(now());
  });
});

describe("grants", () => {
  test("a form's failures are told apart", async () => {
    const { blobs, edge, now, advance, files } = open();
    const { fields } = await blobs.postPolicy({ prefix: "p/", maxBytes: 3, expiresAt: now() + hour });
    const post = (key: string, content = "abc", using: Record<string, string> = fields) =>
      edge.accept(using, key, Buffer.from(content));
    await expect(post("p/a", "abc", {})).rejects.toEqual(code("unauthenticated"));
    await expect(post("p/a", "abc", { ...fields, signature: "0".repeat(64) })).rejects.toEqual(code("unauthenticated"));
    await expect(post("p/a", "abc", { ...fields, policy: "" })).rejects.toEqual(code("unauthenticated"));
    await expect(post("q/a")).rejects.toEqual(code("forbidden"));
    await expect(post("p/../q/a")).rejects.toEqual(code("invalid_request"));
    await expect(post("p/a", "abcd")).rejects.toEqual(code("too_large"));
    expect(files()).toEqual([]);
    await post("p/a");
    await edge.accept(new Map(Object.entries(fields)), "p/b", Buffer.from("abc"));
    advance(hour - 1);
    await post("p/a");
    advance(1);
    await expect(post("p/a")).rejects.toEqual(code("forbidden"));
  });

  test("bytes that are not those announced are refused before they take anyone's place, and leave nothing", async () => {
    const { blobs, edge, now, files } = open();
    const sha256 = createHash("sha256").update("abc").digest("hex");
    const { fields } = await blobs.postPolicy({ prefix: "u/x", maxBytes: 3, expiresAt: now() + hour, sha256 });
    const message = "the bytes are not those that were announced";
    const refused = expect.objectContaining({ code: "invalid_request", message });
    for (const content of ["abd", "ab", "abcd", ""]) {
      await expect(edge.accept(fields, "u/x", Buffer.from(content))).rejects.toEqual(refused);
      await expect(edge.accept(fields, "u/x", cut(Buffer.from(content), [1]))).rejects.toEqual(refused);
    }
    await expect(edge.accept(fields, "u/x/y", Buffer.from("abc"))).rejects.toEqual(code("forbidden"));
    expect(files()).toEqual([]);
    await edge.accept(fields, "u/x", cut(Buffer.from("abc"), [1]));
    await expect(edge.accept(fields, "u/x", Buffer.from("abd"))).rejects.toEqual(refused);
    expect(Buffer.from((await blobs.get("u/x")) ?? []).toString()).toBe("abc");
    expect(files()).toHaveLength(1);
  });

  test("an upload is granted for its own bytes only", async () => {
    const { blobs, edge, now, digest } = open();
    const actor = { workspace: "local", actor: "usr_a", role: "member" } as unknown as Actor;
    const world = { blobs, clock: { now } };
    const request = { sha256: digest.hash("good"), size: 4 };
    const ask = async () => (await create(world, actor, { items: [request] })).items[0];
    const { key, fields } = (await ask())?.post ?? { key: "", fields: {} };
    await expect(edge.accept(fields, key, Buffer.from("evil"))).rejects.toEqual(code("invalid_request"));
    expect((await ask())?.exists).toBe(false);
    await edge.accept(fields, key, Buffer.from("good"));
    expect(await ask()).toEqual({ sha256: request.sha256, exists: true });
  });

  test("a read's failures are told apart", async () => {
    const { blobs, edge, now, advance } = open();
    await blobs.put("a/B c", Buffer.from("content"));
    const use = (text: string) => {
      const url = new URL(text);
      return edge.open(url.pathname.slice("/blobs/".length), url.searchParams);
    };
    const url = await blobs.signedGet("a/B c", now() + hour);
    const missing = await blobs.signedGet("b", now() + hour);
    await expect(use(url.replace("signature=", "signature=0"))).rejects.toEqual(code("unauthenticated"));
    await expect(use(url.replace("expires=1", "expires=2"))).rejects.toEqual(code("unauthenticated"));
    await expect(use(url.replace("blobs/a", "blobs/%ff"))).rejects.toEqual(code("invalid_request"));
    await expect(use(missing)).rejects.toEqual(code("not_found"));
    const blob = await use(url);
    expect([blob.key, blob.size]).toEqual(["a/B c", 7]);
    await blobs.put("a/B c", Buffer.from("something else"));
    expect(await new Response(blob.stream(0, blob.size - 1)).text()).toBe("content");
    advance(hour);
    await expect(use(url)).rejects.toEqual(code("forbidden"));
  });

  test("a grant to post reads nothing, and a grant to read posts nothing", async () => {
    const { blobs, edge, now } = open();
    const url = new URL(await blobs.signedGet("a/b", now() + hour));
    const signature = url.searchParams.get("signature") ?? "";
    const policy = Buffer.from(JSON.stringify({ prefix: "a/", maxBytes: 10, expiresAt: now() + hour })).toString(
      "base64url",
    );
    await expect(edge.accept({ policy, signature }, "a/b", Buffer.of())).rejects.toEqual(code("unauthenticated"));
    const { fields } = await blobs.postPolicy({ prefix: "a/", maxBytes: 10, expiresAt: now() + hour });
    const params = new URLSearchParams({ expires: String(now() + hour), signature: fields.signature ?? "" });
    await expect(edge.open("a/b", params)).rejects.toEqual(code("unauthenticated"));
  });
});
