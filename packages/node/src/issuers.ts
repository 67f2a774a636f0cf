/**
 * The Issuers port on `jose`: tokens are checked with the keys that their issuer publishes.
 *
 * *Gotchas.* A token's header is whoever's sent it: it may name a key among those of its issuer (`kid`), and no other place
 * (`jku`, `x5u`, `jwk`). Only asymmetric algorithms are known here: with `HS256` a public key would be a password that
 * everybody has. Both are held by test/node/issuers.test.ts.
 */
import { MusterError } from "@muster/core/error.ts";
import type { Claims, Expected, Issuers } from "@muster/core/ports/issuers.ts";
import type { Outbound } from "@muster/core/ports/outbound.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import * as errors from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify } from "jose/jwt/verify";
import { type Freshness, type Keys, keysOf } from "./issuer-keys.ts";

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** How far clocks may be apart, in seconds. */
const TOLERANCE = 30;
const LONGEST_SUBJECT = 1024;

interface Part {
  readonly outbound: Pick<Outbound, "send">;
  readonly clock: Clock;
}

const FRESHNESS: Freshness = { fresh: 600_000, stale: 3_600_000, cooldown: 30_000 };

export function createIssuers({ outbound, clock }: Part, freshness: Freshness = FRESHNESS): Issuers {
  const known = keysOf(outbound, clock, freshness);
  return {
    claimed,
    async verify(token, expected) {
      const keys = await known.get(expected.issuer);
      try {
        return await check(token, expected, keys, clock);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw refused(error);
        const newer = await known.newer(expected.issuer, keys);
        if (newer === undefined) throw refused(error);
        return check(token, expected, newer, clock).catch((again: unknown) => {
          throw refused(again);
        });
      }
    },
  };
}

function claimed(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" && iss !== "" && iss.length <= 512 ? iss : undefined;
  } catch {
    // Whatever it is, it is no token.
    return undefined;
  }
}

async function check(token: string, { issuer, audiences }: Expected, keys: Keys, clock: Clock): Promise<Claims> {
  const now = clock.now();
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    algorithms: ALGORITHMS,
    issuer,
    audience: [...audiences],
    requiredClaims: ["iss", "aud", "exp", "iat", "sub"],
    clockTolerance: TOLERANCE,
    currentDate: new Date(now),
  });
  const { iat, sub } = payload;
  if (typeof iat !== "number" || !Number.isFinite(iat) || iat > now / 1000 + TOLERANCE)
    throw new errors.JWTClaimValidationFailed("it was issued in the future", payload, "iat");
  if (typeof sub !== "string" || sub === "" || sub.length > LONGEST_SUBJECT)
    throw new errors.JWTClaimValidationFailed("its subject is no text", payload, "sub");
  return payload;
}

/** jose's own failures, and those of the runtime for keys that it cannot use, say that the token does not hold. */
const refused = (error: unknown): MusterError => {
  const reason = error instanceof Error ? error.message : String(error);
  return new MusterError("unauthenticated", reason, {}, error);
};
