/** Removing a schedule; what it launched goes on. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import * as Schedule from "./schedule.ts";

/** @throws MusterError `not_found`, `forbidden`. */
export const remove = (world: Basics, actor: Actor, name: string): Promise<Schedule.Info> =>
  retrying(async () => {
    const known = await Schedule.get(world.table, actor.workspace, name);
    Schedule.requireControl(actor, known);
    const key = Keys.scheduled(known.workspace, known.name);
    const item = await world.table.get(key);
    const gone: Write[] = [
      { remove: Schedule.noun.key(known), expect: known.version },
      ...(item ? [{ remove: key, expect: item.version }] : []),
      Schedule.eventOf(world, actor, known, "removed"),
    ];
    const info = Schedule.Info.parse(known);
    await commit(world, actor, gone, info);
    return info;
  });
