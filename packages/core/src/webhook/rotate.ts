/** A new secret for a webhook. The one before signs beside it for another day, so that its receiver can be told in peace. */
import type { Actor } from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import { OVERLAP, secretOf } from "../hook/secret.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Webhook from "./webhook.ts";

/**
 * @param how with `now`, the one before signs no more: somebody else may have it
 * @throws MusterError `not_found`.
 */
export const rotate = (
  world: Basics & { readonly digest: Pick<Digest, "mac"> },
  actor: Actor,
  reference: string,
  how: { readonly now?: boolean | undefined } = {},
): Promise<Webhook.Created> =>
  retrying(async () => {
    const known = await Webhook.get(world.table, actor.workspace, reference);
    const now = world.clock.now();
    const previousUntil = how.now ? undefined : now + OVERLAP;
    const patch = { generation: known.generation + 1, previousUntil, changedAt: now };
    const { next, write } = amend<Webhook.Webhook>(Webhook.noun, known, patch);
    await world.table.write([write, Webhook.eventOf(world, actor, next, "rotated")]);
    return { ...Webhook.Info.parse(next), secret: secretOf(world.digest, next).standard };
  });
