/** The catalog in its blob, and its reader. Against a map in place of a bucket, and a clock set by the test. */

import { gzipSync } from "node:zlib";
import { catalogReader } from "@muster/aws/catalog/reader.ts";
import { keyOf, read, write } from "@muster/aws/catalog/stored.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import { describe, expect, test } from "vitest";
import { catalog } from "./support.ts";

const MINUTE = 60_000;

function world() {
  const kept = new Map<string, Uint8Array>();
  const errors: string[] = [];
  const state = { now: 1_000_000, gets: 0, broken: undefined as Error | undefined };
  const blobs = {
    put: async (key: string, bytes: Uint8Array) => void kept.set(key, bytes),
    get: async (key: string) => {
      state.gets += 1;
      if (state.broken !== undefined) throw state.broken;
      return kept.get(key);
    },
  } as Blobs;
  const log = { info: () => {}, error: (message: string) => void errors.push(message) };
  return { kept, errors, state, blobs, log, clock: { now: () => state.now } };
}

describe("the blob", () => {
  test("holds the catalog as it was, in a fraction of its size", async () => {
    const { blobs, kept } = world();
    await write(blobs, catalog);
    expect(await read(blobs, "us-east-1")).toEqual(catalog);
    expect(kept.get(keyOf("us-east-1"))?.length).toBeLessThan(JSON.stringify(catalog).length / 4);
    expect(await read(blobs, "eu-west-1")).toBeUndefined();
  });

  test("what is no catalog is not written", async () => {
    const { blobs, kept } = world();
    await expect(write(blobs, { ...catalog, types: [{} as never] })).rejects.toThrow(/name/);
    expect(kept.size).toBe(0);
  });
});

describe("the reader", () => {
  test("reads once, however many ask, and again after five minutes", async () => {
    const { state, ...ports } = world();
    await write(ports.blobs, catalog);
    const ask = catalogReader(ports, "us-east-1");
    await Promise.all([ask(), ask(), ask()]);
    state.now += 4 * MINUTE;
    await ask();
    expect(state.gets).toBe(1);
    state.now += 2 * MINUTE;
    await Promise.all([ask(), ask()]);
    expect(state.gets).toBe(2);
  });

  test("serves the old one while the new one is read", async () => {
    const { state, ...ports } = world();
    await write(ports.blobs, catalog);
    const ask = catalogReader(ports, "us-east-1");
    await ask();
    await write(ports.blobs, { ...catalog, refreshedAt: 7 });
    state.now += 10 * MINUTE;
    expect((await ask()).refreshedAt).toBe(catalog.refreshedAt);
    await expect.poll(async () => (await ask()).refreshedAt).toBe(7);
  });

  test("after an hour asks before it serves, and serves the old one all the same when nobody answers", async () => {
    const { state, ...ports } = world();
    await write(ports.blobs, catalog);
    const ask = catalogReader(ports, "us-east-1");
    await ask();
    await write(ports.blobs, { ...catalog, refreshedAt: 7 });
    state.now += 61 * MINUTE;
    expect((await ask()).refreshedAt).toBe(7);
    state.now += 61 * MINUTE;
    state.broken = new Error("reset");
    expect((await ask()).refreshedAt).toBe(7);
    expect(ports.errors).toEqual(["the catalog cannot be read again"]);
  });

  test("without a catalog says that it is about to be made, and asks again the next time", async () => {
    const { blobs, state, ...ports } = world();
    const ask = catalogReader({ blobs, ...ports }, "us-east-1");
    await expect(ask()).rejects.toMatchObject({
      code: "unavailable",
      details: { hint: "it is made within a minute of the deployment; ask again" },
    });
    await write(blobs, catalog);
    expect((await ask()).region).toBe("us-east-1");
    expect(state.gets).toBe(2);
  });

  test.each([
    ["no archive", Buffer.from("{}")],
    ["no JSON", gzipSync("<html>")],
    ["another format", gzipSync(JSON.stringify({ ...catalog, format: 2 }))],
    ["types of another shape", gzipSync(JSON.stringify({ ...catalog, types: [{ name: "g5.xlarge" }] }))],
  ])("a blob that is %s is a catalog that cannot be read", async (_what, bytes) => {
    const { blobs, kept, ...ports } = world();
    kept.set(keyOf("us-east-1"), bytes);
    await expect(catalogReader({ blobs, ...ports }, "us-east-1")()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("a failure of the bucket that says what it is stays what it is", async () => {
    const { state, ...ports } = world();
    state.broken = new MusterError("busy", "S3 asks to slow down");
    await expect(catalogReader(ports, "us-east-1")()).rejects.toBe(state.broken);
  });
});
