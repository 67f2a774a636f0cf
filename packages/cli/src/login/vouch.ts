/** From a source to a token of Muster's: what is shown to the control plane, and what it gives for that. */
import { client as clientOf } from "@muster/api/client.ts";
import { VERSION } from "@muster/core/version.ts";
import { explained } from "../aws/explained.ts";
import { githubToken } from "./github.ts";
import type { Source } from "./source.ts";

/** A token, until when it is good, and where the next comes from. */
export interface Access {
  readonly token: string;
  /** Epoch ms. */
  readonly expiresAt?: number | undefined;
  readonly source: Source;
}

type Where = { readonly issuer?: string | undefined; readonly workspace?: string | undefined };

const whereOf = ({ issuer, workspace }: Where): { issuer?: string; workspace?: string } => ({
  ...(issuer !== undefined && { issuer }),
  ...(workspace !== undefined && { workspace }),
});

/** Exchanges an issuer's token. @throws MusterError as the control plane says */
export async function exchanged(endpoint: string, idToken: string, source: Source): Promise<Access> {
  const api = clientOf({ endpoint, version: VERSION });
  const made = await api.login.exchange({ body: { token: idToken, ...whereOf(source) } });
  return accessOf(made, source);
}

/** Signs in with the AWS credentials of whoever sits here. */
export async function viaAws(endpoint: string, source: Extract<Source, { kind: "aws" }>): Promise<Access> {
  // What signs is large, and no other command pays for it.
  const [{ credentials }, { signedFetch }] = await Promise.all([
    import("../aws/credentials.ts"),
    import("../aws/signed.ts"),
  ]);
  const api = clientOf({ endpoint, version: VERSION, fetch: signedFetch(source.region, await credentials()) });
  const made = await api.login.aws({ body: whereOf(source) }).catch((error: unknown) => {
    throw explained(error, endpoint);
  });
  return accessOf(made, source);
}

export const viaGithub = async (
  endpoint: string,
  env: NodeJS.ProcessEnv,
  source: Extract<Source, { kind: "github" }>,
): Promise<Access> => exchanged(endpoint, await githubToken(env, source.audience), source);

interface Made {
  readonly token: string;
  readonly expiresAt?: number | undefined;
  readonly issuer: string;
}

const accessOf = ({ token, expiresAt, issuer }: Made, source: Source): Access => ({
  token,
  expiresAt,
  source: { ...source, issuer },
});
