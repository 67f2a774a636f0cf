/** Delivering anew, with the same id and the same body, and all tries before it; and a delivery that tries a webhook out. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { amend, insert } from "../record.ts";
import * as Delivery from "./delivery.ts";
import { deliveryOf } from "./enqueue.ts";
import * as Webhook from "./webhook.ts";

/** @throws MusterError `not_found`; `conflict` while the webhook is disabled. */
export const replay = (world: Basics, actor: Actor, reference: string, id: string): Promise<Delivery.Info> =>
  retrying(async () => {
    const webhook = await enabled(world, actor, reference);
    const known = await Delivery.get(world.table, actor.workspace, webhook.id, id);
    const now = world.clock.now();
    const patch = { tries: 0, outcome: undefined, dueAt: now, taken: undefined, replayedBy: actor.id, changedAt: now };
    const { next, write } = amend<Delivery.Delivery>(Delivery.noun, known, patch);
    const info = Delivery.info(next);
    await commit(world, actor, [write, Webhook.eventOf(world, actor, webhook, "replayed")], info);
    return info;
  });

/**
 * Sends it an event of the kind `webhook.test`, once, whatever it asks for.
 * @throws MusterError `not_found`; `conflict` while the webhook is disabled.
 */
export async function test(
  world: Basics & { readonly digest: Pick<Digest, "hash"> },
  actor: Actor,
  reference: string,
): Promise<Delivery.Info> {
  const webhook = await enabled(world, actor, reference);
  const event = {
    ...{ id: Id.create(world.random, "event"), at: world.clock.now(), subject: webhook.id },
    ...{ kind: "webhook.test", actor: actor.id, message: `webhook '${webhook.name}' is tried out` },
  };
  const delivery = { ...deliveryOf(world, webhook, event), isTest: true };
  const info = Delivery.info(delivery);
  const writes = [insert(Delivery.noun, delivery), Webhook.eventOf(world, actor, webhook, "tried")];
  await commit(world, actor, writes, info);
  return info;
}

async function enabled(world: Pick<Basics, "table">, actor: Actor, reference: string): Promise<Webhook.Webhook> {
  const webhook = await Webhook.get(world.table, actor.workspace, reference);
  if (webhook.disabled === undefined) return webhook;
  throw new MusterError("conflict", `webhook '${webhook.name}' is disabled: ${webhook.disabled.reason}`, {
    hint: `muster webhooks enable ${webhook.name}`,
  });
}
