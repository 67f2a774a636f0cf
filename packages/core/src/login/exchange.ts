/**
 * Exchanging an issuer's token for one of Muster's.
 *
 * Whoever asks is nobody yet. So nothing is fetched before the issuer that the token names is one that an admin believes, and
 * whatever is wrong with it is told in the same words; what it was stands in the log.
 */
import type { Via } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Issuer from "../issuer/issuer.ts";
import * as Keys from "../keys.ts";
import type { Claims } from "../ports/issuers.ts";
import type { SignInEdge } from "../ports/world.ts";
import { glimpse, load } from "../record.ts";
import { admit, type Part } from "./admit.ts";
import type { Exchange, SignedIn } from "./login.ts";

/** A real one has some hundreds of letters; with many groups, some thousands. */
export const LONGEST_TOKEN = 16_384;

/**
 * @throws MusterError `unauthenticated`, the same for whatever is wrong with the token; `forbidden` where it holds and no rule
 * fits; `unavailable` when the issuer's keys cannot be had.
 */
export async function exchange(
  world: Part & Pick<SignInEdge, "issuers">,
  { token, issuer: name, workspace }: Exchange,
  via?: Via,
): Promise<SignedIn> {
  const url = token.length > LONGEST_TOKEN ? undefined : world.issuers.claimed(token);
  const known = url === undefined ? [] : await believing(world, url, name);
  if (url === undefined || known.length === 0) throw refused(world, url, "nobody believes its issuer");
  const audiences = [...new Set(known.flatMap(issuer => issuer.audiences))];
  const claims = await verified(world, token, { issuer: url, audiences });
  const issuers = known.filter(issuer => isFor(issuer, claims));
  if (issuers.length === 0) throw refused(world, url, "it is for another kind of caller");
  const at = Number(claims.iat) * 1000;
  return admit(world, { issuers, claims, at }, { wanted: workspace, via });
}

/** Those who believe an issuer, each as it is now: the index may lag. */
export async function believing(
  { table }: Pick<Part, "table">,
  who: string,
  name: string | undefined,
): Promise<Issuer.Issuer[]> {
  const { items } = await table.query({ pk: Keys.issuing(who), index: "link", limit: 1000 });
  const seen = items.map(item => glimpse(Issuer.noun, item));
  const wanted = seen.filter(issuer => name === undefined || issuer.name.toLowerCase() === name.toLowerCase());
  const records = await Promise.all(wanted.map(issuer => load(table, Issuer.noun, Issuer.noun.key(issuer))));
  return records.filter(issuer => issuer !== undefined && (issuer.url ?? issuer.kind) === who) as Issuer.Issuer[];
}

async function verified(
  world: Part & Pick<SignInEdge, "issuers">,
  token: string,
  expected: { readonly issuer: string; readonly audiences: readonly string[] },
): Promise<Claims> {
  try {
    return await world.issuers.verify(token, expected);
  } catch (error) {
    if (error instanceof MusterError && error.code === "unauthenticated")
      throw refused(world, expected.issuer, error.message);
    throw error;
  }
}

/** A CI service's own tokens, whose audience whoever writes a job chooses, sign no person in. */
const OF_JOBS = ["project_path", "ci_config_ref_uri", "repository_owner", "job_workflow_ref"];

function isFor(issuer: Issuer.Issuer, claims: Claims): boolean {
  const audiences = [claims.aud].flat();
  if (!issuer.audiences.some(one => audiences.includes(one))) return false;
  if (issuer.kind !== "people") return true;
  // A token for several is the one's that asked for it. (OpenID Connect Core 1.0, section 3.1.3.7)
  if (claims.azp !== undefined && !issuer.audiences.includes(String(claims.azp))) return false;
  return !OF_JOBS.some(name => Object.hasOwn(claims, name));
}

const refused = ({ log }: Part, issuer: string | undefined, reason: string): MusterError => {
  log.info("sign-in refused", { reason, ...(issuer !== undefined && { issuer: issuer.slice(0, 200) }) });
  return new MusterError("unauthenticated", "this lets nobody in", {
    hint: "see that its issuer and its audience are those that the control plane expects (GET /v1/login), and that it has not expired",
  });
};
