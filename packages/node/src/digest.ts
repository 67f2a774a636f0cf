/** The Digest port on node:crypto. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { Digest } from "@muster/core/ports/ports.ts";

const MIN_KEY_BYTES = 32;

/**
 * Keyed hashing with the deployment's key.
 * @param key at least 32 bytes: `Random.secret()` makes a good one.
 */
export function createDigest(key: string | Uint8Array): Digest {
  const secret = Buffer.from(key);
  if (secret.length < MIN_KEY_BYTES)
    throw new MusterError("internal", `the deployment's key has ${secret.length} bytes; it needs ${MIN_KEY_BYTES}`);
  return {
    hash: text => sha256(text).toString("hex"),
    // A key of its own for each purpose, so that no choice of purpose and text can spell another one's.
    mac: (purpose, text) => hmac(hmac(secret, purpose), text).toString("hex"),
    // Hashes have one length: neither the length nor the place of a difference shows in the time taken.
    same: (a, b) => timingSafeEqual(sha256(a), sha256(b)),
    hashOf: bytes => sha256(bytes).toString("hex"),
    sign: (key, bytes) => hmac(key, bytes).toString("hex"),
  };
}

const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest();
const hmac = (key: Uint8Array, text: string | Uint8Array) => createHmac("sha256", key).update(text).digest();
