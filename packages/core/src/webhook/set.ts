/** Changing what a webhook is told, and where. What was made for it before is sent to where it is now. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { amend } from "../record.ts";
import type { Part } from "./create.ts";
import * as Webhook from "./webhook.ts";

/** @throws MusterError `not_found`; `invalid_request` for an address that is not to be reached. */
export const set = (world: Part, actor: Actor, reference: string, change: Webhook.Change): Promise<Webhook.Info> =>
  retrying(async () => {
    world.outbound?.check(change.url);
    const known = await Webhook.get(world.table, actor.workspace, reference);
    const { url, format, events, clusters, labels } = change;
    const patch = { url, format, events, clusters, labels, changedAt: world.clock.now() };
    const { next, write } = amend<Webhook.Webhook>(Webhook.noun, known, patch);
    const info = Webhook.Info.parse(next);
    await commit(world, actor, [write, Webhook.eventOf(world, actor, next, "set")], info);
    return info;
  });
