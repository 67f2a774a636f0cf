/** Making tokens: for people and programs by an admin, and the first admin's by whoever holds the AWS account. */
import { type Actor, type Role, system } from "../actor/actor.ts";
import { type Identity, isHost } from "../actor/identity.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import type { Digest, Random } from "../ports/ports.ts";
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
}

const DAY = 24 * 3_600_000;

export const create = (world: Part, actor: Actor, request: Token.Create): Promise<Token.Created> =>
  grant(world, {
    workspace: actor.workspace,
    actor: request.actor,
    role: request.role,
    createdBy: actor.id,
    ...(request.days !== undefined && { expiresAt: world.clock.now() + request.days * DAY }),
  });

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
  return grant(world, { workspace: Workspace.FIRST, actor: request.actor, role: "admin", createdBy: identity.arn });
}

/** The only place that sees a token's secret. */
export async function grant(world: Part, given: Grant): Promise<Token.Created> {
  const secret = world.random.secret();
  const token: Token.Token = {
    ...given,
    id: Id.create(world.random, "token"),
    hash: world.digest.hash(secret),
    createdAt: world.clock.now(),
  };
  const event = Event.draft(Token.noun.key(token), {
    id: Id.create(world.random, "event"),
    at: token.createdAt,
    subject: token.id,
    kind: "token.created",
    actor: given.createdBy ?? system(given.workspace).id,
    details: { for: token.actor, role: token.role },
  });
  await world.table.write([insert(Token.noun, token), { put: event, expect: "absent" }]);
  return Token.Created.parse({ ...token, token: `mst_${token.id}_${secret}` });
}
