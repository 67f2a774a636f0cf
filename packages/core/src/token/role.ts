/** What somebody may do who is not here: by the tokens that they have. */
import type { Role } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import { noun } from "./token.ts";

/** From the least to the most. */
const ROLES: readonly Role[] = ["viewer", "ci", "member", "admin"];

/**
 * The highest role of this actor's tokens that have neither expired nor been revoked; undefined when there is none. Which
 * tokens there are an index tells, so one that was made this instant may be missing; each is then read as it is.
 */
export async function roleOf(
  world: Pick<Basics, "table" | "clock">,
  workspace: string,
  actor: string,
): Promise<Role | undefined> {
  const now = world.clock.now();
  let best = -1;
  let cursor: string | undefined;
  do {
    const { pk } = Keys.list(workspace, "token", "");
    const page = await world.table.query({ pk, index: "list", limit: 1000, ...(cursor !== undefined && { cursor }) });
    const theirs = page.items.filter(item => item.data.actor === actor);
    const tokens = await Promise.all(theirs.map(item => load(world.table, noun, Keys.token(String(item.data.id)))));
    for (const token of tokens)
      if (token && (token.expiresAt ?? Number.POSITIVE_INFINITY) > now)
        best = Math.max(best, ROLES.indexOf(token.role));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return ROLES[best];
}
