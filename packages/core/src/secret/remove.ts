/** Removing a stored secret: first nobody is led to its value any more, then the value goes. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { forgetQuietly } from "./forget.ts";
import type { Part } from "./keep.ts";
import * as Secret from "./secret.ts";

/** Jobs that have it already go on; those that wait for it will not begin. @throws MusterError `not_found`. */
export async function remove(world: Basics & Part, actor: Actor, name: string): Promise<Secret.Info> {
  const { info, ref } = await retrying(async () => {
    const known = await Secret.find(world.table, actor.workspace, name);
    if (known === undefined) throw await Secret.absent(world.table, actor.workspace, [{ path: "params.name", name }]);
    const gone = { remove: Secret.noun.key(known), expect: known.version };
    const answer = Secret.Info.parse(known);
    await commit(world, actor, [gone, Secret.eventOf(world, actor, known, "secret.removed")], answer);
    return { info: answer, ref: Secret.refOf(known) };
  });
  await forgetQuietly(world, ref);
  return info;
}
