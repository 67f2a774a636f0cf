/** Revoking a token: from then on nobody is let in by it. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import { isFirst } from "../workspace/workspace.ts";
import { valid } from "./role.ts";
import * as Token from "./token.ts";

/**
 * Everybody may revoke those that speak for themselves, admins all of their workspace, and those of the first one all.
 * @throws MusterError `not_found`, the same for another workspace's token, or another person's, as for none; `conflict` for
 * the last token of an admin, without force.
 */
export const revoke = (world: Basics, actor: Actor, id: string, { force = false } = {}): Promise<Token.Info> =>
  retrying(async () => {
    const token = await load(world.table, Token.noun, Keys.token(id));
    if (token === undefined || !mayRevoke(actor, token))
      throw new MusterError("not_found", `there is no token '${id}'`, { hint: "see them with: muster tokens list" });
    const answer = Token.Info.parse(token);
    const remove: Write = { remove: Keys.token(id), expect: token.version };
    const isNeeded = token.role === "admin" && (token.expiresAt ?? Infinity) > world.clock.now();
    const kept = isNeeded && !force ? [await anotherAdmin(world, token)] : [];
    await commit(world, actor, [remove, ...kept, Token.eventOf(world, actor, token, "token.revoked")], answer);
    return answer;
  });

function mayRevoke(actor: Actor, token: Token.Token): boolean {
  const isOwn = token.workspace === actor.workspace;
  if (actor.role === "admin") return isOwn || isFirst(actor.workspace);
  return isOwn && token.actor === actor.id;
}

/**
 * The condition that another admin's token stays: two that are revoked at once, each for the sake of the other, must not
 * both go. @throws MusterError `conflict` when there is none.
 */
async function anotherAdmin(world: Basics, { id, workspace }: Token.Token): Promise<Write> {
  for await (const other of valid(world, workspace, "role", "admin"))
    if (other.id !== id) return { check: Keys.token(other.id), expect: other.version };
  throw new MusterError("conflict", "this is the last token of an admin that the workspace has", {
    hint: "make another first, or revoke it with: muster tokens revoke --force",
  });
}
