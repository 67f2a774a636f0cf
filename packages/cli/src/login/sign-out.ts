/** Signing out: what was had by signing in is ended where it was had, as far as anybody can be reached. */
import { client } from "@muster/api/client.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Context } from "../context/config.ts";

const PATIENCE = 10_000;

/** The id of a token, which its text tells. */
export const idOf = (token: string): string | undefined => /^mst_(tok_[0-9A-Z]{26})_/.exec(token)?.[1];

/** Ends the context's token, and has the issuer forget what it gave to come back with. @returns whether the token has ended */
export async function signOut({ endpoint, token, source, expiresAt }: Context): Promise<boolean> {
  const [ended] = await Promise.allSettled([revoked(endpoint, token, expiresAt), source && forgotten(source)]);
  return ended.status === "fulfilled";
}

async function revoked(endpoint: string, token: string, expiresAt: number | undefined): Promise<void> {
  const id = idOf(token);
  if (id === undefined || (expiresAt !== undefined && expiresAt <= Date.now())) return;
  const api = client({ endpoint, token, version: VERSION });
  const signal = AbortSignal.timeout(PATIENCE);
  // Were it an admin's last: whoever signs in has another by signing in again.
  await api.tokens.revoke({ params: { token: id }, query: { force: "true" } }, { signal });
}

async function forgotten(source: NonNullable<Context["source"]>): Promise<void> {
  if (source.kind !== "oidc" || source.refresh === undefined) return;
  const oidc = await import("./oidc.ts");
  await oidc.forgotten(source, source.refresh);
}
