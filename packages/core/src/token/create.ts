/** Making tokens: for people and programs by an admin, and the first admin's by whoever holds the AWS account. */
import { type Actor, covers, type Role, system, type Via } from "../actor/actor.ts";
import { type Identity, isHost } from "../actor/identity.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import type { Digest, Random } from "../ports/ports.ts";
import type { Write } from "../ports/table.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { insert } from "../record.ts";
import * as Workspace from "../workspace/workspace.ts";
import * as Token from "./token.ts";

type Part = Basics & { readonly digest: Digest; readonly random: Random };

export interface Grant {
  readonly workspace: string;
  /** Id of whom it speaks for. */
  readonly actor: string;
  readonly role: Role;
  /** Epoch ms. */
  readonly expiresAt?: number;
  readonly createdBy?: string;
  /** What it was made for, such as a repository and its ref: told with everything that is done with it. */
  readonly origin?: string;
  /** Who vouched for whom it speaks for. */
  readonly issuer?: string;
}

const DAY = 24 * 3_600_000;

/**
 * @throws MusterError `forbidden` for a role that may more than the actor's, or another's workspace; `not_found` for a
 * workspace that is not there.
 */
export async function create(world: Part, actor: Actor, request: Token.Create): Promise<Token.Created> {
  const { workspace = actor.workspace, days } = request;
  if (!covers(actor.role, request.role))
    throw new MusterError("forbidden", `the role ${actor.role} may not make a token with the role ${request.role}`, {
      hint: "a token may at most what its maker may",
    });
  if (workspace !== actor.workspace) await Workspace.get(world, actor, workspace);
  const expires = days !== undefined && { expiresAt: world.clock.now() + days * DAY };
  return grant(
    world,
    { workspace, actor: request.actor, role: request.role, createdBy: actor.id, ...expires },
    actor.via,
  );
}

/**
 * An admin's token for whoever may call this path with the account's own credentials: that is how the first one comes to
 * be, and how one that was lost is replaced.
 * @throws MusterError `forbidden` for hosts: every job could make itself an admin.
 */
export async function bootstrap(
  world: Part & Pick<Edge, "trust">,
  identity: Identity,
  request: Token.Bootstrap,
): Promise<Token.Created> {
  const { trust } = world;
  if (trust === undefined || identity.account !== trust.account || isHost(trust, identity))
    throw new MusterError("forbidden", "these AWS credentials may not make an admin", {
      hint: "use those of a person or a pipeline of the account that the control plane runs in",
    });
  const { from, arn } = identity;
  const given = { workspace: Workspace.FIRST, actor: request.actor, role: "admin", createdBy: arn } as const;
  return grant(world, given, { ...(from !== undefined && { from }) });
}

/**
 * The only place that sees a token's secret.
 * @param via how the request for it came; absent: nobody asked for it
 * @param also written in the same transaction
 */
export async function grant(world: Part, given: Grant, via?: Via, also: readonly Write[] = []): Promise<Token.Created> {
  const secret = world.random.secret();
  const origin = given.origin?.slice(0, Token.LONGEST_ORIGIN);
  const token: Token.Token = {
    ...given,
    ...(origin !== undefined && { origin }),
    id: Id.create(world.random, "token"),
    hash: world.digest.hash(secret),
    createdAt: world.clock.now(),
  };
  const by = { id: given.createdBy ?? system(given.workspace).id, ...(via && { via }) };
  const details = { for: token.actor, role: token.role, ...(origin !== undefined && { origin }) };
  const event = Token.eventOf(world, by, token, "token.created", details);
  await world.table.write([insert(Token.noun, token), event, ...also]);
  return Token.Created.parse({ ...token, token: `mst_${token.id}_${secret}` });
}
