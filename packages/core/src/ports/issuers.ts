/** Identity providers of OpenID Connect: what they say of somebody, in tokens that they signed. */

/** Claims of a token whose signature, issuer, audience and times are right. */
export type Claims = Readonly<Record<string, unknown>>;

export interface Expected {
  /** As its `iss` says it, such as `https://token.actions.githubusercontent.com`. */
  readonly issuer: string;
  /** One of these must be in its `aud`. */
  readonly audiences: readonly string[];
}

export interface Issuers {
  /**
   * Checks a token (RFC 7519) with the keys that its issuer publishes (OpenID Connect Discovery 1.0), which are kept for some minutes.
   * @throws MusterError `unauthenticated` for one that does not hold; `unavailable` when the issuer's keys cannot be had.
   */
  verify(token: string, expected: Expected): Promise<Claims>;
}
