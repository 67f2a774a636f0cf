/** Setting a stored secret: the value is kept first, under an id of its own, and then the record says where it is. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import * as Id from "../id.ts";
import type { SecretsRef } from "../ports/secrets.ts";
import type { Basics } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { amend, insert } from "../record.ts";
import { forgetQuietly } from "./forget.ts";
import { keeping, type Part } from "./keep.ts";
import * as Secret from "./secret.ts";

/**
 * Of two who set the same name at once both succeed, and the value of the later one holds. The one that was there before is
 * forgotten; where that fails, by the sweep.
 * @throws MusterError `quota_exceeded`; `busy` (nothing was set), `unavailable` (nobody knows; the same request may be sent again).
 */
export async function set(
  world: Basics & Part,
  actor: Actor,
  name: string,
  { value }: Secret.Value,
): Promise<Secret.Info> {
  const ref = { workspace: actor.workspace, owner: Id.create(world.random, "secret") };
  const { info, before } = await keeping(world, ref, Secret.wrap(value), keep =>
    retrying(async () => {
      await keep();
      return record(world, actor, name, ref);
    }),
  );
  if (before !== undefined) await forgetQuietly(world, before);
  return info;
}

interface Recorded {
  readonly info: Secret.Info;
  /** Where the value is that it had before. */
  readonly before?: SecretsRef;
}

async function record(
  world: Basics,
  actor: Actor,
  name: string,
  { workspace, owner: valueId }: SecretsRef,
): Promise<Recorded> {
  const known = await Secret.find(world.table, workspace, name);
  const now = world.clock.now();
  const change = { changedBy: actor.id, changedAt: now, valueId };
  const made = { workspace, name, owner: actor.id, createdAt: now, ...change };
  const write = known === undefined ? insert(Secret.noun, made) : amend(Secret.noun, known, change).write;
  const info = Secret.Info.parse({ ...made, ...known, ...change });
  const counted = known === undefined ? [await counting(world, actor, "secrets")] : [];
  await commit(world, actor, [write, ...counted, Secret.eventOf(world, actor, made, "secret.set")], info);
  return { info, ...(known && { before: Secret.refOf(known) }) };
}
