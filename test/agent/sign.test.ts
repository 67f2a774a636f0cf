/** Our signature against AWS's own signing code (@smithy/signature-v4), on random requests. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode, sign } from "../../packages/agent/src/control/sign.ts";
import { awsHeaders } from "./support/signature.ts";

const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).map(encode);
const path = fc
  .tuple(fc.array(segment, { maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join("/")}${slash && segments.length > 0 ? "/" : ""}`);
const headerName = fc.stringMatching(/^[xyz]-[a-z0-9-]{1,10}$/);
const headerValue = fc.stringMatching(/^[ -~\t]{0,30}$/);
const host = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\.[a-z][a-z0-9]{0,8}){1,3}(:[1-9][0-9]{3})?$/);

const request = fc
  .record({
    method: fc.constantFrom("GET", "POST", "PUT"),
    host,
    path,
    headers: fc.dictionary(headerName, headerValue, { maxKeys: 4 }),
    body: fc.string({ unit: "grapheme", maxLength: 200 }),
  })
  .map(({ host, path, ...rest }) => ({ ...rest, url: `https://${host}${path}` }));

const secret = fc.stringMatching(/^[A-Za-z0-9/+=]{1,60}$/);
const signing = fc.record({
  credentials: fc.record(
    { accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/), secretAccessKey: secret, sessionToken: secret },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] },
  ),
  region: fc.constantFrom("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"),
  service: fc.constantFrom("execute-api", "sts", "dynamodb", "s3"),
  at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
});

const query = fc.uniqueArray(
  fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), fc.string({ unit: "grapheme", maxLength: 12 })),
  { maxLength: 5, selector: ([name]) => name },
);
const asked = fc.tuple(request, query).map(([one, pairs]) => {
  const search = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  return { ...one, url: `${one.url}?${search}`.replace(/\?$/, "") };
});

test("signs 2000 random requests as AWS's own code does", async () => {
  await fc.assert(
    fc.asyncProperty(asked, signing, async (unsigned, how) => {
      expect(sign(unsigned, how)).toEqual(await awsHeaders(unsigned, how));
    }),
    { numRuns: 2_000 },
  );
});

test("a changed body, header, path or time is another signature", () => {
  const how = {
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    region: "eu-central-1",
    service: "execute-api",
    at: 1_440_938_160_000,
  };
  const plain = { method: "POST", url: "https://api.example.com/v1/agent/register", headers: { a: "b" }, body: "{}" };
  const variants = [
    sign(plain, how),
    sign({ ...plain, body: "{ }" }, how),
    sign({ ...plain, headers: { a: "c" } }, how),
    sign({ ...plain, url: `${plain.url}/x` }, how),
    sign(plain, { ...how, at: how.at + 1000 }),
    sign(plain, { ...how, credentials: { ...how.credentials, sessionToken: "t" } }),
  ];
  expect(new Set(variants.map(headers => headers.authorization)).size).toBe(variants.length);
});
