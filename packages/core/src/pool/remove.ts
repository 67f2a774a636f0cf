/** Removing a pool, and with it its members; what was taken from it stays. It has gone when they have. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Shape from "./info.ts";
import * as Pool from "./pool.ts";

/** It may be said twice. @throws MusterError `not_found`, `forbidden`. */
export const remove = (world: Basics, actor: Actor, name: string): Promise<Shape.Info> =>
  retrying(async () => {
    const known = await Pool.get(world.table, actor.workspace, name);
    Pool.requireControl(actor, known);
    if (known.leaving) {
      const info = Shape.Info.parse(known);
      await commit(world, actor, [], info);
      return info;
    }
    const now = world.clock.now();
    const patch = { leaving: true, size: 0, nextAt: undefined, dueAt: now, changedAt: now };
    const { next, write } = amend<Pool.Pool>(Pool.noun, known, patch);
    const info = Shape.Info.parse(next);
    await commit(world, actor, [write, Pool.eventOf(world, actor, next, "leaving")], info);
    return info;
  });
