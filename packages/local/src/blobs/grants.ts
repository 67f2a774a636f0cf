/** Grants that expire: to post blobs under a prefix, to post certain bytes as one blob, and to read one blob. */
import { MusterError } from "@muster/core/error.ts";
import type { PostPolicy } from "@muster/core/ports/blobs.ts";
import type { Digest } from "@muster/core/ports/ports.ts";
import { checkKey } from "./keys.ts";

export type Grant = Omit<PostPolicy, "url" | "fields">;

/** The fields of a form, by name. */
export type Fields = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

/** The form fields that prove the grant. @throws MusterError `invalid_request` for a prefix that may begin others' keys */
export function signPolicy(digest: Digest, grant: Grant): Readonly<Record<string, string>> {
  const { prefix, maxBytes, expiresAt, sha256 } = grant;
  if (sha256 === undefined && !prefix.endsWith("/"))
    throw new MusterError("invalid_request", `a policy is for a prefix that ends with a slash, not for '${prefix}'`);
  const policy = Buffer.from(JSON.stringify({ prefix, maxBytes, expiresAt, sha256 })).toString("base64url");
  return { policy, signature: digest.mac("post-policy", policy) };
}

/**
 * The grant that these fields prove, if it lets `key` be posted now.
 * @throws MusterError `unauthenticated`, `forbidden`, `invalid_request`
 */
export function readPolicy(digest: Digest, fields: Fields, key: string, now: number): Grant {
  const policy = field(fields, "policy");
  if (!digest.same(digest.mac("post-policy", policy), field(fields, "signature")))
    throw new MusterError("unauthenticated", "the signature does not fit the policy");
  // Signed by us, so it is as we wrote it.
  const grant: Grant = JSON.parse(Buffer.from(policy, "base64url").toString());
  checkTime(grant.expiresAt, now);
  checkKey(key);
  if (grant.sha256 !== undefined && key !== grant.prefix)
    throw new MusterError("forbidden", `this policy is for the key ${grant.prefix}`);
  if (!key.startsWith(grant.prefix))
    throw new MusterError("forbidden", `this policy is for keys that begin with ${grant.prefix}`);
  return grant;
}

/** The path and query that read this blob, below the blobs' URL. */
export function signRead(digest: Digest, key: string, expiresAt: number): string {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return `${path}?${new URLSearchParams({ expires: String(expiresAt), signature: readMac(digest, key, String(expiresAt)) })}`;
}

/**
 * The key that this signed URL reads.
 * @param path the URL's path below the blobs' URL, still encoded
 * @throws MusterError `unauthenticated`, `forbidden`, `invalid_request`
 */
export function readRead(digest: Digest, path: string, query: URLSearchParams, now: number): string {
  const key = path.split("/").map(decoded).join("/");
  const expires = query.get("expires") ?? "";
  if (!digest.same(readMac(digest, key, expires), query.get("signature") ?? ""))
    throw new MusterError("unauthenticated", "the signature does not fit the URL");
  checkTime(Number(expires), now);
  checkKey(key);
  return key;
}

const readMac = (digest: Digest, key: string, expires: string) =>
  digest.mac("blob-get", JSON.stringify([key, expires]));

function checkTime(expiresAt: number, now: number): void {
  if (now >= expiresAt)
    throw new MusterError("forbidden", "this grant has expired", { expiresAt, hint: "ask for a new one" });
}

function field(fields: Fields, name: string): string {
  const value = fields instanceof Map ? fields.get(name) : Object.entries(fields).find(([key]) => key === name)?.[1];
  if (typeof value !== "string") throw new MusterError("unauthenticated", `the form has no ${name}`);
  return value;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new MusterError("invalid_request", "the URL's path is not valid", {}, cause);
  }
}
