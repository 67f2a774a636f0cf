/** Letting a webhook rest, and go on. Each may be said twice. */
import type { Actor, By } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import * as Webhook from "./webhook.ts";

interface Turned {
  readonly next: Stored<Webhook.Webhook>;
  readonly writes: readonly Write[];
}

/** What happens while it is disabled is not delivered later. @throws MusterError `not_found`. */
export const disable = (world: Basics, actor: Actor, reference: string): Promise<Webhook.Info> =>
  turn(world, actor, reference, known =>
    known.disabled === undefined ? disabling(world, actor, known, `by ${actor.id}`) : undefined,
  );

/** @throws MusterError `not_found`. */
export const enable = (world: Basics, actor: Actor, reference: string): Promise<Webhook.Info> =>
  turn(world, actor, reference, known =>
    known.disabled === undefined ? undefined : turned(world, actor, known, undefined, "enabled"),
  );

/** The writes that disable it. */
export const disabling = (
  world: Pick<Basics, "clock" | "random">,
  by: By,
  known: Stored<Webhook.Webhook>,
  reason: string,
): Turned => turned(world, by, known, { at: world.clock.now(), reason }, "disabled");

function turned(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  known: Stored<Webhook.Webhook>,
  disabled: Webhook.Webhook["disabled"],
  what: "enabled" | "disabled",
): Turned {
  const patch = { disabled, changedAt: world.clock.now() };
  const { next, write } = amend<Webhook.Webhook>(Webhook.noun, known, patch);
  return { next, writes: [write, Webhook.eventOf(world, by, next, what, disabled?.reason)] };
}

const turn = (
  world: Basics,
  actor: Actor,
  reference: string,
  how: (known: Stored<Webhook.Webhook>) => Turned | undefined,
): Promise<Webhook.Info> =>
  retrying(async () => {
    const known = await Webhook.get(world.table, actor.workspace, reference);
    const done = how(known);
    const info = Webhook.Info.parse(done?.next ?? known);
    await commit(world, actor, done?.writes ?? [], info);
    return info;
  });
