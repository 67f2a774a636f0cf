/** What somebody may do who is not here: by the tokens that they have. */
import { ROLES, type Role } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { remembered } from "../login/remember.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Stored } from "../record.ts";
import { noun, type Token } from "./stored.ts";

type Part = Pick<Basics, "table" | "clock">;

/**
 * The highest role of this actor's tokens that have neither expired nor been revoked, or with which they signed in not long
 * ago; undefined when there is none.
 */
export async function roleOf(world: Part, workspace: string, actor: string): Promise<Role | undefined> {
  let best = ROLES.indexOf((await remembered({ table: world.table, clock: world.clock }, workspace, actor)) as Role);
  for await (const token of valid(world, workspace, "actor", actor)) best = Math.max(best, ROLES.indexOf(token.role));
  return ROLES[best];
}

/**
 * A workspace's tokens with that in a field which let somebody in. Which tokens there are an index tells, so one that was
 * made this instant may be missing; each is then read as it is.
 */
export async function* valid(
  { table, clock }: Part,
  workspace: string,
  field: "actor" | "role",
  value: string,
): AsyncGenerator<Stored<Token>> {
  const now = clock.now();
  let cursor: string | undefined;
  do {
    const { pk } = Keys.list(workspace, "token", "");
    const page = await table.query({ pk, index: "list", limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const { data } of page.items.filter(item => item.data[field] === value)) {
      const token = await load(table, noun, Keys.token(String(data.id)));
      if (token && (token.expiresAt ?? Number.POSITIVE_INFINITY) > now) yield token;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
