/** A new secret for a hook. The one before is good for another day, so that its sender can be told in peace. */
import type { Actor } from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Hook from "./hook.ts";
import { OVERLAP, secretOf } from "./secret.ts";

/**
 * @param how with `now`, the one before is good no more: somebody else may have it
 * @throws MusterError `not_found`, `forbidden`.
 */
export const rotate = (
  world: Basics & { readonly digest: Pick<Digest, "mac"> },
  actor: Actor,
  reference: string,
  how: Hook.Rotate = {},
): Promise<Hook.Created> =>
  retrying(async () => {
    const known = await Hook.get(world.table, actor.workspace, reference);
    Hook.requireControl(actor, known);
    const now = world.clock.now();
    const previousUntil = how.now ? undefined : now + OVERLAP;
    const patch = { generation: known.generation + 1, previousUntil, changedAt: now };
    const { next, write } = amend<Hook.Hook>(Hook.noun, known, patch);
    await world.table.write([write, Hook.eventOf(world, actor, next, "rotated")]);
    return { ...Hook.info(next), secret: secretOf(world.digest, next) };
  });
