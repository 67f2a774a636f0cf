/** Removing an issuer: nobody comes in by it any more. Tokens that were given out stay good until they expire. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import * as Issuer from "./issuer.ts";

/** @throws MusterError `not_found`. */
export const remove = (world: Basics, actor: Actor, name: string): Promise<Issuer.Info> =>
  retrying(async () => {
    const known = await Issuer.get(world.table, actor.workspace, name);
    const gone = { remove: Issuer.noun.key(known), expect: known.version };
    const info = Issuer.Info.parse(known);
    await commit(world, actor, [gone, Issuer.eventOf(world, actor, known, "issuer.removed")], info);
    return info;
  });
