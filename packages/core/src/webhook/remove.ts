/** Removing a webhook: what was not delivered is dropped when it is due. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import * as Webhook from "./webhook.ts";

/** @throws MusterError `not_found`. */
export const remove = (world: Basics, actor: Actor, reference: string): Promise<Webhook.Info> =>
  retrying(async () => {
    const known = await Webhook.get(world.table, actor.workspace, reference);
    const info = Webhook.Info.parse(known);
    const gone = { remove: Webhook.noun.key(known), expect: known.version };
    await commit(world, actor, [gone, Webhook.eventOf(world, actor, known, "removed")], info);
    return info;
  });
