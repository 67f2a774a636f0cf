/** The Signer port on node:crypto. */
import { createPrivateKey, sign } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { Signer } from "@muster/core/ports/signer.ts";

export const signer: Signer = {
  rs256: (key, text) => sign("RSA-SHA256", Buffer.from(text), privateKey(key)).toString("base64url"),
};

function privateKey(pem: string) {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "rsa") return key;
  } catch {
    // What it says may hold part of the key.
  }
  throw new MusterError("invalid_request", "this is no RSA private key in PEM");
}
