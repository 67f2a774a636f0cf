/** Looking at a delivery once more, by the rules that the hook has now: what they say is launched is launched anew. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import * as Delivery from "./delivery.ts";
import * as Hook from "./hook.ts";

/** One that is being looked at stays as it is. @throws MusterError `not_found`, `forbidden`. */
export const replay = (world: Basics, actor: Actor, reference: string, id: string): Promise<Delivery.Info> =>
  retrying(async () => {
    const hook = await Hook.get(world.table, actor.workspace, reference);
    Hook.requireControl(actor, hook);
    const delivery = await Delivery.get(world.table, hook, id);
    if (delivery.outcome === undefined) {
      await commit(world, actor, [], Delivery.info(delivery));
      return Delivery.info(delivery);
    }
    const { next, write } = again(world, delivery);
    await commit(world, actor, [write, Hook.eventOf(world, actor, hook, "replayed")], Delivery.info(next));
    return Delivery.info(next);
  });

/** The delivery as it is looked at once more. */
export function again({ clock }: Pick<Basics, "clock">, delivery: Stored<Delivery.Delivery>) {
  const now = clock.now();
  return amend<Delivery.Delivery>(Delivery.noun, delivery, {
    ...{ outcome: undefined, message: undefined, results: [], round: delivery.round + 1, tries: 0 },
    ...{ dueAt: now, changedAt: now },
  });
}
