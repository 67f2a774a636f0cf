/** Making a webhook, and the secret that it signs with. */
import type { Actor } from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import { secretOf } from "../hook/secret.ts";
import * as Id from "../id.ts";
import type { Outbound } from "../ports/outbound.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { insert } from "../record.ts";
import * as Webhook from "./webhook.ts";

/** `outbound` is there where the same process sends: elsewhere an address that is not reached shows when it is tried. */
export type Part = Basics & { readonly digest: Pick<Digest, "mac">; readonly outbound?: Pick<Outbound, "check"> };

/**
 * Asked twice, it is refused the second time: nobody kept the secret that was told the first time.
 * @throws MusterError `name_taken`; `invalid_request` for an address that is not to be reached; `quota_exceeded`.
 */
export async function create(
  world: Part,
  actor: Actor,
  { name, webhook: change }: Webhook.Create,
): Promise<Webhook.Created> {
  world.outbound?.check(change.url);
  const now = world.clock.now();
  const { workspace, id: createdBy } = actor;
  const webhook: Webhook.Webhook = {
    ...change,
    ...{ id: Id.create(world.random, "webhook"), workspace, name, generation: 1 },
    ...{ createdBy, createdAt: now, changedAt: now },
  };
  await retrying(async () => {
    if ((await Webhook.find(world.table, workspace, name)) !== undefined)
      throw new MusterError("name_taken", `there is a webhook '${name}' already`, {
        hint: `give it a new secret: muster webhooks rotate ${name}`,
      });
    await world.table.write([
      insert(Webhook.noun, webhook),
      await counting(world, actor, "webhooks"),
      Webhook.eventOf(world, actor, webhook, "created"),
    ]);
  });
  return { ...Webhook.Info.parse(webhook), secret: secretOf(world.digest, webhook).standard };
}
