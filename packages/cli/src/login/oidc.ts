/** Talking to an issuer of OpenID Connect as a public client, by `openid-client`. Loaded by whoever signs in or renews. */
import { MusterError } from "@muster/core/error.ts";
import * as oidc from "openid-client";

export interface Client {
  readonly url: string;
  readonly clientId: string;
  readonly publicClientSecret?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/** What the issuer gave. */
export interface Given {
  readonly idToken: string;
  readonly refresh?: string | undefined;
}

const PATIENCE_S = 20;

/** The issuer's endpoints. @throws MusterError `unavailable` */
export async function discovered({ url, clientId, publicClientSecret }: Client): Promise<oidc.Configuration> {
  const auth = publicClientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(publicClientSecret);
  try {
    return await oidc.discovery(new URL(url), clientId, undefined, auth, { timeout: PATIENCE_S });
  } catch (error) {
    throw new MusterError(
      "unavailable",
      `${url} does not answer as an issuer of OpenID Connect: ${reasonOf(error)}`,
      { hint: "see that this machine reaches it; an admin sees its URL with: muster issuers list" },
      error,
    );
  }
}

const WANTED = ["openid", "email", "profile", "offline_access"];

/** What is asked for: what the issuer says that it knows, where it says so. */
export function scopeOf(config: oidc.Configuration, { scopes }: Client): string {
  const known = config.serverMetadata().scopes_supported;
  return (scopes ?? WANTED.filter(scope => scope === "openid" || known?.includes(scope) !== false)).join(" ");
}

/** @throws MusterError `unauthenticated` when it gave no ID token */
export function givenOf(tokens: oidc.TokenEndpointResponse, client: Client): Given {
  if (tokens.id_token !== undefined) return { idToken: tokens.id_token, refresh: tokens.refresh_token };
  throw new MusterError("unauthenticated", `${client.url} gave no ID token`, {
    hint: "an admin should see that the client there may use OpenID Connect, with the scope openid",
  });
}

/** A new ID token for a refresh token. @throws what the library throws */
export async function refreshed(client: Client, refresh: string): Promise<Given> {
  const config = await discovered(client);
  const given = givenOf(await oidc.refreshTokenGrant(config, refresh), client);
  // Where refresh tokens are not turned over, the old one stays good.
  return { ...given, refresh: given.refresh ?? refresh };
}

/** Has the issuer forget a refresh token; where it cannot, nothing is lost: Muster forgets it as well. */
export async function forgotten(client: Client, refresh: string): Promise<void> {
  const config = await discovered(client);
  if (config.serverMetadata().revocation_endpoint !== undefined) await oidc.tokenRevocation(config, refresh);
}

/** What the issuer says, in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError)
    return [error.error, error.error_description].filter(text => text !== undefined).join(": ");
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  return cause === undefined || cause === "" ? error.message : `${error.message}: ${cause}`;
}

/** The code of OAuth's that it is; undefined for what did not come from the issuer. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError ? error.error : undefined;
