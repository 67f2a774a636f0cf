/**
 * That somebody signed in: their tokens live for an hour, and what they left to be done, such as a schedule, for as long as
 * they come back.
 */
import * as z from "zod";
import { Role } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table, Write } from "../ports/table.ts";

const Stored = z.object({ role: Role, until: z.number() });

/** What somebody left to be done stops so long after they signed in last, in ms. */
export const REMEMBERED = 30 * 24 * 3_600_000;

interface Part {
  readonly table: Table;
  readonly clock: Clock;
}

interface Who {
  readonly workspace: string;
  readonly actor: string;
  readonly role: Role;
}

/** One that says so for nearly as long is as good. */
const DAY = 24 * 3_600_000;

/** What is to be written so that it is known: mostly nothing. */
export async function remembering({ table, clock }: Part, { workspace, actor, role }: Who): Promise<readonly Write[]> {
  const key = Keys.signedIn(workspace, actor);
  const item = await table.get(key);
  const known = item && Stored.safeParse(item.data).data;
  const until = clock.now() + REMEMBERED;
  if (known !== undefined && known.role === role && known.until > until - DAY) return [];
  const put = { ...key, type: "signedin", data: { role, until }, expiresAt: until };
  return [{ put, expect: item?.version ?? "absent" }];
}

/** The role with which somebody signed in last; undefined when that is long ago, or never was. */
export async function remembered({ table, clock }: Part, workspace: string, actor: string): Promise<Role | undefined> {
  const item = await table.get(Keys.signedIn(workspace, actor));
  const known = item && Stored.safeParse(item.data).data;
  return known !== undefined && known.until > clock.now() ? known.role : undefined;
}
