/** Removing a target; clusters that were made with it stay. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import * as Target from "./target.ts";

/** @throws MusterError `not_found`. */
export const remove = (world: Basics, actor: Actor, name: string): Promise<Target.Info> =>
  retrying(async () => {
    const known = await Target.get(world.table, actor.workspace, name, "params.name");
    const gone = { remove: Target.noun.key(known), expect: known.version };
    const info = Target.Info.parse(known);
    await commit(world, actor, [gone, Target.eventOf(world, actor, known, "target.removed")], info);
    return info;
  });
