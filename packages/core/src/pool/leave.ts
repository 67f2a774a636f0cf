/** The end of a pool: its members are removed, each in one transaction, and it goes when none is left. */
import * as Actor from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import type { Stored } from "../record.ts";
import { membersOf } from "./member.ts";
import * as Pool from "./pool.ts";
import { drop } from "./tend.ts";

/** None is made any more: whoever would has found the record as it was before. @returns false: there is no more to do. */
export async function leave(world: World, pool: Stored<Pool.Pool>): Promise<false> {
  for (const member of await membersOf(world.table, pool)) await drop(world, pool, member, "the pool is removed");
  const key = Keys.pooled(pool.workspace, pool.name);
  const item = await world.table.get(key);
  const gone: Write[] = [
    { remove: Pool.noun.key(pool), expect: pool.version },
    ...(item ? [{ remove: key, expect: item.version }] : []),
    Pool.eventOf(world, Actor.system(pool.workspace), pool, "removed"),
  ];
  await world.table.write(gone);
  return false;
}
