/** The Blobs contract: grants that expire, to post under a prefix and to read one blob. */
import { createHash, randomUUID } from "node:crypto";
import type { PostPolicy } from "@muster/core/ports/blobs.ts";
import { expect, test } from "vitest";
import { bytes, fresh, type Subject } from "./blobs-subject.ts";

const post = (policy: PostPolicy, key: string, content: string, fields = policy.fields): Request => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("key", key);
  form.append("file", new Blob([content]), "chunk");
  return new Request(policy.url, { method: "POST", body: form });
};

export function policyContract(get: () => Subject): void {
  const granted = async (maxBytes = 1000, lifetime = 60_000) => {
    const { blobs, now } = get();
    const grant = { prefix: fresh(), maxBytes, expiresAt: now() + lifetime };
    const policy = await blobs.postPolicy(grant);
    expect(policy).toMatchObject(grant);
    return policy;
  };
  const refused = async (request: Request, ...keys: readonly string[]) => {
    const response = await get().fetch(request);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    for (const key of keys) expect(await get().blobs.head(key)).toBeUndefined();
  };

  test("any number of blobs may be posted under the prefix, and replaced", async () => {
    const policy = await granted();
    for (const [name, content] of [
      ["a", "1"],
      ["deep/er", "2"],
      ["é b", "3"],
      ["a", "4"],
      ["empty", ""],
    ] as const) {
      const response = await get().fetch(post(policy, policy.prefix + name, content));
      expect(response.ok).toBe(true);
      expect(Buffer.from((await get().blobs.get(policy.prefix + name)) ?? []).toString()).toBe(content);
    }
    expect(await get().blobs.list(policy.prefix)).toHaveLength(4);
  });

  test("nothing may be posted elsewhere", async () => {
    const policy = await granted();
    const outside = [
      `${fresh()}a`,
      `contract/${randomUUID()}`,
      policy.prefix.slice(0, -1),
      `${policy.prefix.toUpperCase()}a`,
    ];
    for (const key of outside) await refused(post(policy, key, "x"), key);
  });

  test("a blob may have the greatest size, and not a byte more", async () => {
    const policy = await granted(1000);
    const key = `${policy.prefix}a`;
    await refused(post(policy, key, "x".repeat(1001)), key);
    await refused(post(policy, key, "x".repeat(500_000)), key);
    expect((await get().fetch(post(policy, key, "x".repeat(1000)))).ok).toBe(true);
    await get().fetch(post(policy, key, "y".repeat(1001)));
    expect(Buffer.from((await get().blobs.get(key)) ?? []).toString()).toBe("x".repeat(1000));
  });

  test("a policy that has expired, was changed, or belongs to another lets nothing in", async () => {
    const policy = await granted();
    const other = await granted(5000);
    const key = `${policy.prefix}a`;
    const over = await granted(1000, -1000);
    await refused(post(over, `${over.prefix}a`, "x"), `${over.prefix}a`);
    await refused(post(policy, key, "x", {}), key);
    for (const name of Object.keys(policy.fields)) {
      const { [name]: _, ...without } = policy.fields;
      if (/policy|signature/i.test(name)) await refused(post(policy, key, "x", without), key);
    }
    const [name = ""] = Object.keys(policy.fields).filter(field => /^policy$/i.test(field));
    await refused(post(policy, key, "x", { ...policy.fields, [name]: other.fields[name] ?? "" }), key);
    const text = Buffer.from(policy.fields[name] ?? "", "base64")
      .toString()
      .replaceAll(policy.prefix, "contract/");
    await refused(post(policy, key, "x", { ...policy.fields, [name]: Buffer.from(text).toString("base64url") }), key);
  });
}

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");

export function announcedContract(get: () => Subject): void {
  const announced = async (content: string) => {
    const { blobs, now } = get();
    const grant = {
      prefix: `${fresh()}a`,
      maxBytes: Buffer.byteLength(content),
      expiresAt: now() + 60_000,
      sha256: sha256(content),
    };
    const policy = await blobs.postPolicy(grant);
    expect(policy).toMatchObject(grant);
    return policy;
  };
  const send = (policy: PostPolicy, content: string, key = policy.prefix) => get().fetch(post(policy, key, content));
  const stored = async (key: string) => Buffer.from((await get().blobs.get(key)) ?? []).toString();

  test("the bytes that were announced may be posted, more than once", async () => {
    for (const content of ["the very bytes", "", "é".repeat(200_000)]) {
      const policy = await announced(content);
      for (let n = 0; n < 2; n++) expect((await send(policy, content)).ok).toBe(true);
      expect(await stored(policy.prefix)).toBe(content);
    }
  });

  test("other bytes, fewer, and more are refused, and replace nothing", async () => {
    const policy = await announced("the very bytes");
    const wrong = ["the VERY bytes", "the very byte", "the very bytes!", "", "x".repeat(500_000)];
    const attempt = async () => {
      for (const content of wrong) {
        const { status } = await send(policy, content);
        expect([content.slice(0, 20), status >= 400 && status < 500]).toEqual([content.slice(0, 20), true]);
      }
    };
    await attempt();
    expect(await get().blobs.head(policy.prefix)).toBeUndefined();
    expect((await send(policy, "the very bytes")).ok).toBe(true);
    await attempt();
    expect(await stored(policy.prefix)).toBe("the very bytes");
  });

  test("they may be posted as that one key, and no other", async () => {
    const policy = await announced("x");
    for (const key of [`${policy.prefix}b`, `${policy.prefix}/b`, policy.prefix.replace(/a$/, "A"), `${fresh()}a`]) {
      const { status } = await send(policy, "x", key);
      expect([key, status >= 400 && status < 500]).toEqual([key, true]);
      expect(await stored(key)).toBe("");
    }
  });

  test("without bytes announced, a policy is for a folder", async () => {
    const { blobs, now } = get();
    for (const prefix of ["", "a", fresh().slice(0, -1)])
      await expect(blobs.postPolicy({ prefix, maxBytes: 1, expiresAt: now() + 60_000 })).rejects.toMatchObject({
        code: "invalid_request",
      });
  });
}

export function readContract(get: () => Subject): void {
  test("a signed URL reads its blob, and no other", async () => {
    const { blobs, now, fetch } = get();
    const prefix = fresh();
    for (const name of ["a", "b", "é ?#%2F&+/x"]) {
      await blobs.put(prefix + name, bytes(name));
      const response = await fetch(new Request(await blobs.signedGet(prefix + name, now() + 60_000)));
      expect([response.status, await response.text()]).toEqual([200, name]);
    }
    const url = await blobs.signedGet(`${prefix}a`, now() + 60_000);
    for (const wrong of [
      url.replace(`${prefix}a`, `${prefix}b`),
      url.slice(0, -1),
      url.slice(0, url.indexOf("?")),
      url.replace(`${prefix}a`, `${prefix}x/..%2fa`),
    ])
      expect((await fetch(new Request(wrong))).status).toBeGreaterThanOrEqual(400);
  });

  test("an empty blob and a part of one can be read", async () => {
    const { blobs, now, fetch } = get();
    const key = `${fresh()}a`;
    await blobs.put(key, bytes(""));
    const url = await blobs.signedGet(key, now() + 60_000);
    expect(await (await fetch(new Request(url))).text()).toBe("");
    await blobs.put(key, bytes("0123456789"));
    for (const [range, expected] of [
      ["bytes=0-3", "0123"],
      ["bytes=8-", "89"],
      ["bytes=-2", "89"],
      ["bytes=5-99", "56789"],
    ] as const) {
      const response = await fetch(new Request(url, { headers: { range } }));
      expect([response.status, await response.text()]).toEqual([206, expected]);
    }
    expect((await fetch(new Request(url, { headers: { range: "bytes=10-" } }))).status).toBe(416);
  });

  test("a signed URL that has expired, or whose blob is not there, reads nothing", async () => {
    const { blobs, now, fetch } = get();
    const key = `${fresh()}a`;
    expect((await fetch(new Request(await blobs.signedGet(key, now() + 60_000)))).status).toBeGreaterThanOrEqual(400);
    await blobs.put(key, bytes("x"));
    expect((await fetch(new Request(await blobs.signedGet(key, now() - 1000)))).status).toBeGreaterThanOrEqual(400);
  });
}
