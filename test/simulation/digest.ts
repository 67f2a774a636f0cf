/** Keyed hashes of a deployment that does not exist. */
import { createHash, createHmac } from "node:crypto";
import type { Digest } from "@muster/core/ports/ports.ts";

const KEY = "the key of a deployment that does not exist";
export const digest: Digest = {
  hash: text => createHash("sha256").update(text).digest("hex"),
  mac: (purpose, text) => createHmac("sha256", KEY).update(`${purpose}\n${text}`).digest("hex"),
  same: (a, b) => a === b,
  hashOf: bytes => createHash("sha256").update(bytes).digest("hex"),
  sign: (key, bytes) => createHmac("sha256", key).update(bytes).digest("hex"),
};
