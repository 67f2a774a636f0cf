/**
 * Ran against: the documents and URLs that the S3 adapter makes, and a plain server of the test that answers as S3's API
 * reference says, for what moto never does.
 */
import { createBlobs } from "@muster/aws/blobs/blobs.ts";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CallServer, inTurn, say, startCallServer } from "./support/call-server.ts";

const NOW = Date.parse("2026-03-04T05:06:07.890Z");
const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const blobsOf = (credentials: object = keys, endpoint?: string, now = NOW) =>
  createBlobs({
    aws: { region: "eu-west-3", credentials: async () => ({ ...keys, ...credentials }), endpoint },
    name: "a-bucket",
    clock: { now: () => now },
  });

describe("a POST policy", () => {
  const documentOf = (fields: Readonly<Record<string, string>>) =>
    JSON.parse(Buffer.from(fields.policy ?? "", "base64").toString());
  const proof = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": "AKIDEXAMPLE/20260304/eu-west-3/s3/aws4_request",
    "x-amz-date": "20260304T050607Z",
  };
  const conditionsOn = (fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  const grant = { prefix: "logs/a/", maxBytes: 5, expiresAt: NOW + 60_000 };
  const proven = { policy: expect.any(String), "x-amz-signature": expect.stringMatching(/^[0-9a-f]{64}$/) };

  test("of a folder has these conditions, and no others", async () => {
    const { url, fields } = await blobsOf().postPolicy(grant);
    expect(url).toBe("https://a-bucket.s3.eu-west-3.amazonaws.com/");
    expect(fields).toEqual({ ...proof, ...proven });
    expect(documentOf(fields)).toEqual({
      expiration: "2026-03-04T05:07:07.890Z",
      conditions: [
        { bucket: "a-bucket" },
        ["starts-with", "$key", "logs/a/"],
        ["content-length-range", 0, 5],
        ...conditionsOn(proof),
      ],
    });
  });

  test("of temporary credentials has their token too", async () => {
    const token = { "x-amz-security-token": "a token" };
    const { fields } = await blobsOf({ sessionToken: "a token" }).postPolicy(grant);
    expect(fields).toEqual({ ...proof, ...token, ...proven });
    expect(documentOf(fields).conditions.slice(3)).toEqual(conditionsOn({ ...proof, ...token }));
  });

  test("of announced bytes has the one key, and the checksum with its algorithm", async () => {
    // Of no bytes at all: their SHA-256 in hex, and in base64.
    const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const sum = {
      "x-amz-checksum-algorithm": "SHA256",
      "x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    };
    const { fields } = await blobsOf().postPolicy({ ...grant, prefix: "uploads/x", maxBytes: 0, sha256 });
    expect(fields).toEqual({ ...proof, ...sum, ...proven });
    expect(documentOf(fields).conditions).toEqual([
      { bucket: "a-bucket" },
      ["eq", "$key", "uploads/x"],
      ["content-length-range", 0, 0],
      ...conditionsOn({ ...proof, ...sum }),
    ]);
  });

  test("is posted to the bucket's path where the endpoint is given", async () => {
    const { url } = await blobsOf(keys, "http://127.0.0.1:1").postPolicy(grant);
    expect(url).toBe("http://127.0.0.1:1/a-bucket/");
  });
});

describe("a signed URL", () => {
  const times = (url: string) => {
    const query = new URL(url).searchParams;
    const at = query.get("X-Amz-Date")?.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5") ?? "";
    return { from: Date.parse(at), seconds: Number(query.get("X-Amz-Expires")) };
  };

  test("ends when it is said to, within a second, and never later", async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: NOW, max: NOW + 1e9 }),
      fc.integer({ min: -1e7, max: 604_799_000 }),
      async (now, lasting) => {
        const { from, seconds } = times(await blobsOf({}, undefined, now).signedGet("a", now + lasting));
        expect(from).toBeLessThanOrEqual(now);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(604_800);
        expect(from + seconds * 1000).toBeLessThanOrEqual(now + lasting);
        expect(from + seconds * 1000).toBeGreaterThan(now + lasting - 1000);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  test("lasts a week at most", async () => {
    const { from, seconds } = times(await blobsOf().signedGet("a", NOW + 1e10));
    expect([from, seconds]).toEqual([NOW - 890, 604_800]);
  });
});

describe("what S3 answers", () => {
  let server: CallServer;
  beforeEach(async () => {
    server = await startCallServer();
  });
  afterEach(() => server.close());
  const blobs = () => blobsOf({}, server.url);
  const error = (status: number, code: string) =>
    say(
      status,
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>said so</Message></Error>`,
    );

  test("a blob that is not there is undefined; a bucket that is not there is not", async () => {
    server.answer(error(404, "NoSuchKey"));
    expect(await blobs().get("a")).toBeUndefined();
    server.answer(say(404, ""));
    expect(await blobs().head("a")).toBeUndefined();
    server.answer(error(404, "NoSuchBucket"));
    await expect(blobs().get("a")).rejects.toMatchObject({ code: "unavailable", details: { hint: "deploy again" } });
    await expect(blobs().put("a", new Uint8Array())).rejects.toMatchObject({ code: "unavailable" });
  });

  test("refusals and failures come in the system's words", async () => {
    for (const [answering, code, times] of [
      [error(403, "AccessDenied"), "unavailable", 1],
      [error(400, "InvalidRequest"), "internal", 1],
      [error(503, "SlowDown"), "busy", 4],
      [error(500, "InternalError"), "unavailable", 4],
      [say(200, "<html>fine</html>"), "unavailable", 4],
      [say(200, "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"), "unavailable", 4],
    ] as const) {
      server.forget();
      server.answer(answering);
      await expect(blobs().list("a")).rejects.toMatchObject({ code });
      expect(server.asked).toHaveLength(times);
    }
  });

  test("a put that failed is repeated, with the same bytes", async () => {
    server.answer(inTurn(error(500, "InternalError"), error(503, "SlowDown"), say(200, "")));
    await blobs().put("a", new TextEncoder().encode("the bytes"));
    expect(server.asked.map(({ method, url, body }) => [method, url, body])).toEqual(
      Array(3).fill(["PUT", "/a-bucket/a", "the bytes"]),
    );
  });

  const page = (truncated: boolean, ...contents: readonly string[]) =>
    say(
      200,
      `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>a-bucket</Name><Prefix>p%2F</Prefix><EncodingType>url</EncodingType>
  <IsTruncated>${truncated}</IsTruncated>
  ${contents.map(key => `<Contents><Key>${key}</Key><LastModified>2026-03-04T05:06:07.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>7</Size></Contents>`).join("\n")}
</ListBucketResult>`,
    );
  const head = (key: string) => ({ key, size: 7, writtenAt: Date.parse("2026-03-04T05:06:07Z") });

  test("keys come encoded as in a form", async () => {
    server.answer(page(false, "p/a+b", "p/a%2Bb", "p/%26lt%3B%0A", "p/%E6%BC%A2%25"));
    expect(await blobs().list("p/")).toEqual(["p/a b", "p/a+b", "p/&lt;\n", "p/漢%"].map(head));
    server.answer(page(false, "p/one"));
    expect(await blobs().list("p/")).toEqual([head("p/one")]);
    server.answer(page(false));
    expect(await blobs().list("p/")).toEqual([]);
  });

  test("a page that was cut short is gone on with", async () => {
    server.answer(inTurn(page(true, "p/1", "p/2"), page(true, "p/3"), page(true, "p/4", "p/5")));
    expect(await blobs().list("p/", { after: "p/0", limit: 5 })).toEqual(
      ["1", "2", "3", "4", "5"].map(n => head(`p/${n}`)),
    );
    const asked = server.asked.map(({ url }) => new URL(url, server.url).searchParams);
    expect(asked.map(query => [query.get("start-after"), query.get("max-keys")])).toEqual([
      ["p/0", "5"],
      ["p/2", "3"],
      ["p/3", "2"],
    ]);
  });

  test("a page that is cut short without a key ends the list", async () => {
    server.answer(page(true));
    expect(await blobs().list("p/")).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  test("a list has a bound of 1 to 1000, and well-formed ends", async () => {
    for (const [prefix, options] of [
      ["p", { limit: 0 }],
      ["p", { limit: 1001 }],
      ["p", { limit: 1.5 }],
      ["\ud800", {}],
      ["p", { after: "\ud800" }],
    ] as const)
      await expect(blobs().list(prefix, options)).rejects.toMatchObject({ code: "invalid_request" });
    expect(server.asked).toEqual([]);
  });
});
