/** From what was vouched for to a token: whose rules fit, who that is here, and for how long. */
import type { Role, Via } from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import type { Issuer } from "../issuer/issuer.ts";
import { actorOf, ruleFor } from "../issuer/match.ts";
import type { Rule } from "../issuer/rule.ts";
import type { Claims } from "../ports/issuers.ts";
import type { SignInEdge } from "../ports/world.ts";
import { grant } from "../token/create.ts";
import { isFirst } from "../workspace/workspace.ts";
import type { SignedIn } from "./login.ts";
import { remembering } from "./remember.ts";

export type Part = Pick<SignInEdge, "table" | "clock" | "random" | "digest" | "log">;

/** What somebody said of somebody, and who may have meant what by it. */
export interface Vouched {
  readonly issuers: readonly Issuer[];
  readonly claims: Claims;
  /** When it was vouched for, in epoch ms: lives are counted from there, so that showing it again makes none longer. */
  readonly at: number;
}

interface Match {
  readonly issuer: Issuer;
  readonly rule: Rule & { readonly role: Role };
  readonly workspace: string;
}

const MINUTE = 60_000;

/**
 * @param how `wanted`: the workspace, where whoever comes says it; `via`: how their request came
 * @throws MusterError `forbidden` when no rule fits, with what the issuer said; or when rules of several workspaces do.
 */
export async function admit(
  world: Part,
  vouched: Vouched,
  { wanted, via }: { readonly wanted?: string | undefined; readonly via?: Via | undefined },
): Promise<SignedIn> {
  const { issuer, rule, workspace } = only(vouched, wanted);
  const actor = actorOf(issuer.name, issuer.as, vouched.claims);
  if (actor === undefined) throw nameless(issuer, vouched.claims);
  const expiresAt = Math.min(vouched.at, world.clock.now()) + rule.minutes * MINUTE;
  if (expiresAt <= world.clock.now())
    throw new MusterError("unauthenticated", "what was shown is too old", { hint: "sign in again" });
  const origin = originOf(issuer, vouched.claims);
  const given = {
    ...{ workspace, actor, role: rule.role, expiresAt, issuer: issuer.name, createdBy: `issuer ${issuer.name}` },
    ...(origin !== undefined && { origin }),
  };
  const made = await retrying(async () => grant(world, given, via, await remembering(world, given)));
  return { ...made, workspace, issuer: issuer.name };
}

/**
 * The one match; where several workspaces let somebody in they say which they mean. An issuer of a workspace's own is for those who
 * name that workspace: its admins may write any rule, and must not draw to them who meant to come in elsewhere. Those of the
 * deployment's first workspace are its operators'.
 */
function only(vouched: Vouched, wanted: string | undefined): Match {
  const { claims } = vouched;
  const issuers = vouched.issuers.filter(({ workspace }) => isFirst(workspace) || workspace === wanted);
  const matches = issuers.flatMap(issuer => matchOf(issuer, claims) ?? []);
  const fitting = matches.filter(({ workspace }) => wanted === undefined || workspace === wanted);
  const [first] = fitting;
  if (first === undefined) throw nobody(issuers, claims, wanted);
  const workspaces = [...new Set(fitting.map(({ workspace }) => workspace))].sort();
  if (fitting.length === 1) return first;
  if (workspaces.length === 1) {
    const names = [...new Set(fitting.map(({ issuer }) => issuer.name))].sort();
    throw new MusterError(
      "forbidden",
      `several issuers of workspace ${first.workspace} let you in: ${names.join(", ")}`,
      {
        hint: "say which: --issuer NAME",
      },
    );
  }
  throw new MusterError("forbidden", `several workspaces let you in: ${workspaces.join(", ")}`, {
    hint: "say which: --workspace NAME",
  });
}

function matchOf(issuer: Issuer, claims: Claims): Match | undefined {
  const rule = ruleFor(issuer.rules, claims);
  if (rule === undefined || rule.role === "none") return undefined;
  return { issuer, rule: { ...rule, role: rule.role }, workspace: rule.workspace ?? issuer.workspace };
}

/** Claims that say who somebody is or what runs, and that an admin needs to see to write a rule. */
const SHOWN: readonly string[] = [
  ...["sub", "email", "email_verified", "hd", "groups", "roles", "preferred_username", "aud"],
  ...["repository", "repository_owner", "ref", "ref_type", "environment", "event_name", "workflow", "job_workflow_ref"],
  ...["project_path", "namespace_path", "ref_protected", "pipeline_source", "actor"],
  ...["arn", "account", "user", "role", "session", "permissionSet", "principal"],
];
const MOST_SHOWN = 60;
const LONGEST_SHOWN = 200;

/** What was said of whoever comes: the values of what names them, and the names alone of all else. */
function seen(claims: Claims): { readonly claims: Readonly<Record<string, unknown>>; readonly others: string[] } {
  const names = Object.keys(claims).slice(0, MOST_SHOWN);
  const shown = names.filter(name => SHOWN.includes(name) && JSON.stringify(claims[name]).length <= LONGEST_SHOWN);
  return {
    claims: Object.fromEntries(shown.map(name => [name, claims[name]])),
    others: names.filter(name => !shown.includes(name)).map(name => name.slice(0, LONGEST_SHOWN)),
  };
}

function nobody(issuers: readonly Issuer[], claims: Claims, wanted: string | undefined): MusterError {
  const names = [...new Set(issuers.map(issuer => issuer.name))].sort();
  const where = wanted === undefined ? "" : ` of workspace ${wanted}`;
  return new MusterError("forbidden", `no rule${where} lets you in`, {
    ...(names.length > 0 && { issuer: names.join(", ") }),
    ...seen(claims),
    hint:
      wanted === undefined && names.length === 0
        ? "name the workspace that you want to come into: --workspace NAME"
        : `an admin sets who may: muster issuers show ${names[0] ?? "NAME"}`,
  });
}

const nameless = ({ name, as }: Issuer, claims: Claims): MusterError =>
  new MusterError(
    "forbidden",
    `the issuer ${name} says nothing that could be your name: no ${as} that is verified and short`,
    {
      issuer: name,
      ...seen(claims),
      hint: `an admin may choose another claim: as, in muster issuers show ${name}`,
    },
  );

/** What stands behind a program: its repository and branch. */
function originOf({ kind }: Issuer, claims: Claims): string | undefined {
  const parts = kind === "github" ? ["repository", "ref"] : ["project_path", "ref"];
  if (kind !== "github" && kind !== "gitlab") return undefined;
  const texts = parts.map(name => claims[name]).filter(text => typeof text === "string" && text !== "");
  return texts.length === 0 ? undefined : texts.join(" ");
}
