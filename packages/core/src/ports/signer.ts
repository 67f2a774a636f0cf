/** Signatures with keys that users keep. */

export interface Signer {
  /**
   * RSASSA-PKCS1-v1_5 with SHA-256 (RS256 of RFC 7518) over the text's bytes.
   * @param key RSA private key as PEM, in PKCS#1 or PKCS#8
   * @returns the signature as base64url
   * @throws MusterError `invalid_request` for what is no such key; it says nothing of what it is
   */
  rs256(key: string, text: string): string;
}
