/** Saying how many members a pool keeps, until its next change of size. It may be said twice. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Shape from "./info.ts";
import * as Pool from "./pool.ts";

/** Whoever says it wants it tried at once, whatever has gone wrong. @throws MusterError `not_found`, `forbidden`, `conflict`. */
export const resize = (world: Basics, actor: Actor, name: string, { size }: Shape.Resize): Promise<Shape.Info> =>
  retrying(async () => {
    const known = await Pool.get(world.table, actor.workspace, name);
    Pool.requireControl(actor, known);
    Pool.requireStaying(known);
    const now = world.clock.now();
    const patch = { size, failures: 0, retryAt: undefined, dueAt: now, changedAt: now };
    const { next, write } = amend<Pool.Pool>(Pool.noun, known, patch);
    const info = Shape.Info.parse(next);
    const event = Pool.eventOf(world, actor, next, "sized", { details: { size } });
    await commit(world, actor, [write, event], info);
    return info;
  });
