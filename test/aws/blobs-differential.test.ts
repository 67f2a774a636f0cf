/**
 * Ran against: AWS's own SDK, as support/call-sdk.ts compares them.
 */
import { createHash } from "node:crypto";
import * as S3 from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createBlobs } from "@muster/aws/blobs/blobs.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { credentials, type Keys, known, NOW, plain, region, same } from "./support/call-sdk.ts";
import { type CallServer, say, startCallServer } from "./support/call-server.ts";

let server: CallServer;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  server = await startCallServer();
});
afterAll(async () => {
  vi.useRealTimers();
  await server.close();
});
beforeEach(() => {
  server.forget();
  server.answer(say(200));
});

/** Keys as the port takes them: no empty, `.` or `..` segments, no NUL, no backslash. */
const odd = fc.constantFrom(
  " ",
  "+",
  "%",
  "%2F",
  "'",
  '"',
  "&",
  "=",
  "?",
  "#",
  "é",
  "漢",
  "😀",
  "~",
  "*",
  "!",
  "(",
  ")",
  ":",
  "@",
  "$",
  ",",
  ";",
  "\n",
  "..a",
  "<",
  ">",
  "[",
  "|",
  "^",
  "`",
  "{",
);
const segment = fc
  .array(fc.oneof(odd, fc.string({ unit: "grapheme", minLength: 1, maxLength: 5 })), { minLength: 1, maxLength: 5 })
  .map(parts => parts.join("").replaceAll(/[\0\\/]/g, "_"))
  .filter(made => made !== "." && made !== ".." && made.isWellFormed());
const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map(segments => segments.join("/"));
const Bucket = fc
  .stringMatching(/^[a-z0-9][a-z0-9-]{2,30}[a-z0-9]$/)
  .filter(found => !/^xn--|^sthree|^amzn|s3alias$|--/.test(found));

const s3 = (keys: Keys, options: S3.S3ClientConfig = {}) =>
  plain(
    new S3.S3Client({
      region,
      credentials: known(keys),
      // What it would add of its own accord.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      ...options,
    }),
  );

describe("S3", () => {
  const theirs = (keys: Keys) => s3(keys, { endpoint: server.url, forcePathStyle: true });
  const ours = (keys: Keys, bucket: string) =>
    createBlobs({ aws: { region, endpoint: server.url, credentials: async () => keys }, name: bucket, clock: Date });

  test("blobs are put, read, looked at and removed as the SDK does it, to the byte", async () => {
    server.answer(say(200, "", { "last-modified": "Wed, 04 Mar 2026 05:06:07 GMT", "content-length": "0" }));
    const bytes = fc.uint8Array({ maxLength: 200 });
    const property = fc.asyncProperty(Bucket, key, bytes, credentials, async (bucket, Key, Body, keys) => {
      const client = theirs(keys);
      const blobs = ours(keys, bucket);
      const named = { Bucket: bucket, Key };
      await same(
        server,
        () => client.send(new S3.PutObjectCommand({ ...named, Body })),
        () => blobs.put(Key, Body),
      );
      await same(
        server,
        () => client.send(new S3.GetObjectCommand(named)),
        () => blobs.get(Key),
      );
      await same(
        server,
        () => client.send(new S3.HeadObjectCommand(named)),
        () => blobs.head(Key),
      );
      await same(
        server,
        () => client.send(new S3.DeleteObjectCommand(named)),
        () => blobs.remove(Key),
      );
      client.destroy();
    });
    await fc.assert(property, { numRuns: 100 });
  });

  test("blobs are listed as the SDK does it, to the byte", async () => {
    server.answer(say(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"));
    const property = fc.asyncProperty(
      Bucket,
      key,
      key,
      fc.integer({ min: 1, max: 1000 }),
      credentials,
      async (bucket, Prefix, after, limit, keys) => {
        const client = theirs(keys);
        const command = new S3.ListObjectsV2Command({
          Bucket: bucket,
          Prefix,
          StartAfter: after,
          MaxKeys: limit,
          EncodingType: "url",
        });
        await same(
          server,
          () => client.send(command),
          () => ours(keys, bucket).list(Prefix, { after, limit }),
        );
        client.destroy();
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  test("signed URLs are the SDK's, on AWS's own hosts", async () => {
    const regions = fc.constantFrom("us-east-1", "eu-central-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1");
    const seconds = fc.integer({ min: 1, max: 604_800 });
    const property = fc.asyncProperty(
      Bucket,
      key,
      seconds,
      regions,
      credentials,
      async (bucket, Key, expiresIn, place, keys) => {
        const client = s3(keys, { region: place });
        const theirs = new URL(
          await getSignedUrl(client, new S3.GetObjectCommand({ Bucket: bucket, Key }), {
            expiresIn,
            signingDate: new Date(NOW),
          }),
        );
        const blobs = createBlobs({ aws: { region: place, credentials: async () => keys }, name: bucket, clock: Date });
        const url = new URL(await blobs.signedGet(Key, Math.floor(NOW / 1000) * 1000 + expiresIn * 1000));
        expect([url.host, url.pathname, sorted(url)]).toEqual([theirs.host, theirs.pathname, sorted(theirs)]);
        client.destroy();
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  test("POST policies are signed as the SDK signs them, on AWS's own hosts", async () => {
    const property = fc.asyncProperty(
      Bucket,
      key,
      fc.nat(),
      fc.boolean(),
      credentials,
      async (bucket, folder, maxBytes, exact, keys) => {
        const aws = { region, credentials: async () => keys };
        const sha256 = createHash("sha256").update(folder).digest("hex");
        const grant = {
          prefix: exact ? folder : `${folder}/`,
          maxBytes,
          expiresAt: NOW + 3_600_000,
          ...(exact && { sha256 }),
        };
        const made = await createBlobs({ aws, name: bucket, clock: Date }).postPolicy(grant);
        const client = s3(keys);
        // The SDK makes its own document from these, so its signature is of other text; ours is then signed by it.
        const document = JSON.parse(Buffer.from(made.fields.policy ?? "", "base64").toString());
        const post = await createPresignedPost(client, {
          Bucket: bucket,
          Key: folder,
          Conditions: document.conditions,
        });
        expect(made.url).toBe(post.url);
        const theirs = await signedBySdk(client, made.fields.policy ?? "");
        expect(made.fields["x-amz-signature"]).toBe(theirs);
        for (const field of ["Algorithm", "Credential", "Date", "Security-Token"])
          expect(made.fields[`x-amz-${field.toLowerCase()}`]).toBe(post.fields[`X-Amz-${field}`]);
        client.destroy();
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});

const sorted = (url: URL) => [...url.searchParams].toSorted(([a], [b]) => (a < b ? -1 : 1));

/** The signature that createPresignedPost makes, when the document that it writes is this one. */
async function signedBySdk(client: S3.S3Client, policy: string): Promise<string> {
  const proxied = Object.create(client, {
    config: { value: { ...client.config, base64Encoder: () => policy } },
  }) as S3.S3Client;
  const post = await createPresignedPost(proxied, { Bucket: "any-bucket", Key: "any" });
  return post.fields["X-Amz-Signature"] ?? "";
}
