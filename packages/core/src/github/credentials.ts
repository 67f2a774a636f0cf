/**
 * What a stored secret says of who calls GitHub: a token, or an App. An App's secret is its id, or client id, and the
 * private key that GitHub made for it, one below the other; behind the id the id of the installation may stand.
 */
import { MusterError } from "../error.ts";

export type Credentials =
  | { readonly kind: "token"; readonly token: string }
  | {
      readonly kind: "app";
      readonly appId: string;
      readonly installation?: string | undefined;
      /** PEM. */
      readonly key: string;
    };

const HEAD = /^\s*([\w.-]{1,64})(?:[ \t]+(\d{1,20}))?\s*$/;

/** @throws MusterError `invalid_request`; it says nothing of what the secret holds. */
export function credentialsOf(secret: string): Credentials {
  const begin = secret.indexOf("-----BEGIN ");
  if (begin >= 0) return appOf(secret.slice(0, begin), secret.slice(begin));
  const token = secret.trim();
  if (/^[\x21-\x7e]{1,1024}$/.test(token)) return { kind: "token", token };
  throw new MusterError("invalid_request", "the stored secret for GitHub is neither a token nor an App's key");
}

function appOf(head: string, key: string): Credentials {
  const [, appId, installation] = HEAD.exec(head) ?? [];
  if (appId === undefined)
    throw new MusterError("invalid_request", "the stored secret for GitHub has a key, but no App's id above it", {
      hint: "store it anew: (echo 12345; cat app.private-key.pem) | muster secrets set NAME",
    });
  return { kind: "app", appId, key, ...(installation !== undefined && { installation }) };
}
