/**
 * An issuer for tests: keys and signatures of Node's own, a discovery document, and a network that counts what is asked of it.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { Outbound, OutboundAnswer } from "@muster/core/ports/outbound.ts";

export type Claims = Readonly<Record<string, unknown>>;

export interface Signing {
  readonly kid: string;
  readonly alg: "RS256" | "ES256";
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function signing(kid: string, alg: Signing["alg"] = "RS256", modulusLength = 2048): Signing {
  const { privateKey, publicKey } =
    alg === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, alg, privateKey, publicKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" } };
}

/** What issuers publish, by URL; anything else is not there. */
export class Network implements Outbound {
  readonly pages = new Map<string, string | (() => OutboundAnswer)>();
  readonly asked: string[] = [];
  down = false;
  check = (): void => undefined;

  async send({ url }: { readonly url: string }): Promise<OutboundAnswer> {
    this.asked.push(url);
    if (this.down) throw new MusterError("unavailable", "no answer came");
    const page = this.pages.get(url);
    if (typeof page === "function") return page();
    return page === undefined ? { status: 404, headers: {}, body: "" } : { status: 200, headers: {}, body: page };
  }

  /** Publishes an issuer as OpenID Connect Discovery says. */
  publish(issuer: string, keys: readonly object[]): void {
    const jwks = `${issuer.replace(/\/$/, "")}/keys`;
    const about = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    this.pages.set(about, JSON.stringify({ issuer, jwks_uri: jwks }));
    this.pages.set(jwks, JSON.stringify({ keys }));
  }
}

export const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** What the key's algorithm makes of a text. (RFC 7518, sections 3.3 and 3.4) */
export const signatureOf = ({ privateKey }: Signing, text: string): string =>
  sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");

/** A token that its issuer signed. */
export function signed(key: Signing, claims: Claims, header: object = {}): string {
  const text = `${encoded({ alg: key.alg, kid: key.kid, typ: "JWT", ...header })}.${encoded(claims)}`;
  return `${text}.${signatureOf(key, text)}`;
}

export const GITHUB = "https://token.actions.githubusercontent.com";

/**
 * Claims as GitHub documents them.
 * (https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims)
 */
export const githubClaims = (now: number, more: object = {}): Claims => ({
  jti: "example-id",
  sub: "repo:octo-org/octo-repo:environment:prod",
  environment: "prod",
  aud: "https://github.com/octo-org",
  ref: "refs/heads/main",
  sha: "example-sha",
  repository: "octo-org/octo-repo",
  repository_owner: "octo-org",
  actor_id: "12",
  repository_visibility: "private",
  repository_id: "74",
  repository_owner_id: "65",
  run_id: "example-run-id",
  run_number: "10",
  run_attempt: "2",
  runner_environment: "github-hosted",
  actor: "octocat",
  workflow: "example-workflow",
  head_ref: "",
  base_ref: "",
  event_name: "workflow_dispatch",
  ref_type: "branch",
  job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
  iss: GITHUB,
  nbf: Math.floor(now / 1000) - 60,
  exp: Math.floor(now / 1000) + 300,
  iat: Math.floor(now / 1000),
  ...more,
});
