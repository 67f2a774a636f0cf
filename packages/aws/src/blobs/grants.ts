/** Grants that S3 itself checks: POST policies, and signed URLs. Both end with the credentials that made them. */

import { createHmac } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { PostPolicy } from "@muster/core/ports/blobs.ts";
import type { Credentials } from "../call/aws.ts";
import { presign } from "../call/sign.ts";
import { type Bucket, pathOf, placeOf } from "./bucket.ts";

type Grant = Omit<PostPolicy, "url" | "fields">;

/** The longest that a signed URL can last, in seconds. */
const WEEK_S = 604_800;

/**
 * The form fields that prove the grant, in S3's POST policy of Signature Version 4. Every field that is sent has a
 * condition, for S3 refuses forms with others.
 *
 * Gotchas: S3 keeps a checksum condition only when the algorithm is named beside it; then it computes the sum itself and
 * refuses other bytes with BadDigest. A policy made with temporary credentials ends with them, which may be earlier.
 * @throws MusterError `invalid_request` for a prefix that may begin the keys of others
 */
export async function postPolicy(bucket: Bucket, grant: Grant, now: number): Promise<PostPolicy> {
  const { prefix, maxBytes, expiresAt, sha256 } = grant;
  if (sha256 === undefined && !prefix.endsWith("/"))
    throw new MusterError("invalid_request", `a policy is for a prefix that ends with a slash, not for '${prefix}'`);
  const credentials = await bucket.aws.credentials();
  const proof = proofOf(bucket, credentials, new Date(now));
  const fields = { ...proof, ...(sha256 !== undefined && checksumOf(sha256)) };
  const conditions = [
    { bucket: bucket.name },
    sha256 === undefined ? ["starts-with", "$key", prefix] : ["eq", "$key", prefix],
    ["content-length-range", 0, maxBytes],
    ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
  ];
  const policy = encode({ expiration: new Date(expiresAt).toISOString(), conditions });
  const signature = signText(policy, credentials, scopeOf(bucket, proof["x-amz-date"]));
  const { origin, base } = placeOf(bucket);
  return { url: `${origin}${base}/`, fields: { ...fields, policy, "x-amz-signature": signature }, ...grant };
}

/** A URL that reads the blob until `expiresAt` (epoch ms), at most for a week. */
export async function signedGet(bucket: Bucket, key: string, expiresAt: number, now: number): Promise<string> {
  // S3 takes no lifetime below a second: what has ended already was signed earlier.
  const signedAt = Math.floor(Math.min(now, expiresAt - 1000) / 1000) * 1000;
  const lifetime = Math.min(WEEK_S, Math.floor((expiresAt - signedAt) / 1000));
  const request = {
    method: "GET",
    origin: placeOf(bucket).origin,
    path: pathOf(bucket, key),
    query: {},
    headers: {},
  };
  const { region, credentials } = bucket.aws;
  const signer = { service: "s3", region, credentials: await credentials(), date: new Date(signedAt) };
  return await presign(request, signer, lifetime);
}

function proofOf(bucket: Bucket, { accessKeyId, sessionToken }: Credentials, date: Date) {
  const time = date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${accessKeyId}/${scopeOf(bucket, time).join("/")}`,
    "x-amz-date": time,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  };
}

const checksumOf = (sha256: string) => ({
  "x-amz-checksum-algorithm": "SHA256",
  "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"),
});

const scopeOf = ({ aws }: Bucket, time: string): readonly string[] => [
  time.slice(0, 8),
  aws.region,
  "s3",
  "aws4_request",
];

/** Signs by a key that is good for this day, region and service only. */
function signText(text: string, { secretAccessKey }: Credentials, scope: readonly string[]): string {
  const mac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
  const key = scope.reduce<string | Buffer>(mac, `AWS4${secretAccessKey}`);
  return mac(key, text).toString("hex");
}

const encode = (policy: object): string => Buffer.from(JSON.stringify(policy)).toString("base64");
