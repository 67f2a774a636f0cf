/** Signing in with an AWS identity: the gateway has checked the signature, and rules say by ARN what it becomes. */
import { type Identity, isHost, type Trust } from "../actor/identity.ts";
import { MusterError } from "../error.ts";
import type { Claims } from "../ports/issuers.ts";
import type { SignInEdge } from "../ports/world.ts";
import { admit, type Part } from "./admit.ts";
import { believing } from "./exchange.ts";
import type { Aws, SignedIn } from "./login.ts";

/**
 * @throws MusterError `forbidden` for other accounts, for machines (every job on one could become whatever its role may), and
 * where no rule fits.
 */
export async function aws(
  world: Part & Pick<SignInEdge, "trust">,
  identity: Identity,
  { issuer, workspace }: Aws,
): Promise<SignedIn> {
  const claims = world.trust === undefined ? undefined : claimsOf(world.trust, identity);
  if (claims === undefined)
    throw new MusterError("forbidden", "these AWS credentials sign nobody in", {
      hint: "use those of a person of the account that the control plane runs in: no machine's, and no other account's",
    });
  const issuers = await believing(world, "aws", issuer);
  if (issuers.length === 0)
    throw new MusterError("forbidden", "nobody signs in with AWS credentials here", {
      hint: "an admin says who may: muster issuers set FILE, with kind: aws",
    });
  const { from } = identity;
  const how = { wanted: workspace, via: { origin: identity.arn, ...(from !== undefined && { from }) } };
  return admit(world, { issuers, claims, at: world.clock.now() }, how);
}

const USER = /^arn:aws[a-z-]*:iam::(\d{12}):user\/(?:[!-~]+\/)?([\w+=,.@-]+)$/;
const SESSION = /^arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+)$/;
/** The role of a permission set of IAM Identity Center. (https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html) */
const PERMISSION_SET = /^AWSReservedSSO_([\w+=,.@-]{1,32})_[0-9a-f]{16}$/;

/**
 * What an ARN says, as claims. `principal` is a name that nobody chooses for themselves: of a role it is the role, since
 * whoever takes one on calls the session as they like; of a permission set the person, whom Identity Center names.
 * @returns undefined for machines, for other accounts, and for what is neither a user nor a role's session.
 */
export function claimsOf(trust: Trust, identity: Identity): Claims | undefined {
  const { arn, account } = identity;
  if (account !== trust.account || isHost(trust, identity)) return undefined;
  const user = USER.exec(arn);
  if (user?.[1] === account) return { arn, account, user: user[2], principal: `user/${user[2]}` };
  const [, owner, role = "", session = ""] = SESSION.exec(arn) ?? [];
  // EC2 names the session of an instance's role after the instance.
  if (owner !== account || /^i-[0-9a-f]{8,17}$/.test(session)) return undefined;
  const permissionSet = PERMISSION_SET.exec(role)?.[1];
  const whom = permissionSet === undefined ? `role/${role}` : `sso/${session}`;
  return { arn, account, role, session, principal: whom, ...(permissionSet !== undefined && { permissionSet }) };
}
