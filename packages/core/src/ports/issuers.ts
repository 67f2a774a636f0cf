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
  /** Who a token says has issued it: nobody has checked anything yet. Undefined for what is no token. */
  claimed(token: string): string | undefined;
  /**
   * Checks a token (RFC 7519) with the keys that its issuer publishes (OpenID Connect Discovery 1.0), which are kept for some
   * minutes. Its `exp`, `iat` and `sub` are there, and are numbers (epoch seconds) and a text.
   * @throws MusterError `unauthenticated` for one that does not hold, with the reason; `unavailable` when the issuer's keys
   * cannot be had.
   */
  verify(token: string, expected: Expected): Promise<Claims>;
}
