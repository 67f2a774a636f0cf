/** Making a hook: an address, and the secret that goes with it. */
import type { Actor } from "../actor/actor.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { insert } from "../record.ts";
import * as Hook from "./hook.ts";
import { secretOf } from "./secret.ts";
import { requireRules } from "./set.ts";

/**
 * @throws MusterError `name_taken`; `invalid_request` for what nobody can launch later; `not_found` for a secret of the
 * workspace; `quota_exceeded`.
 */
export async function create(
  world: Basics & { readonly digest: Pick<Digest, "mac"> },
  actor: Actor,
  { name, hook: change }: Hook.Create,
): Promise<Hook.Created> {
  const now = world.clock.now();
  const { rules, ...fields } = change;
  const hook: Hook.Hook = {
    ...fields,
    ...{ id: Id.create(world.random, "hook"), workspace: actor.workspace, name, owner: actor.id },
    ...{ rules: rules.length, generation: 1, createdAt: now, changedAt: now },
  };
  const { workspace, id } = hook;
  await retrying(async () => {
    await requireRules(world, actor, change);
    if ((await Hook.idOf(world.table, workspace, name)) !== undefined)
      throw new MusterError("name_taken", `there is a hook '${name}' already`, {
        hint: `set it anew, or give it a new secret: muster hooks rotate ${name}`,
      });
    await world.table.write([
      insert(Hook.noun, hook),
      { put: { ...Keys.hookRules(workspace, id), type: "hookrules", data: { rules } }, expect: "absent" },
      { put: { ...Keys.hookName(workspace, name), type: "hookname", data: { id } }, expect: "absent" },
      { put: { ...Keys.hookOwner(id), type: "hookowner", data: { workspace } }, expect: "absent" },
      await counting(world, actor, "hooks"),
      Hook.eventOf(world, actor, hook, "created"),
    ]);
  });
  return { ...Hook.info(hook), secret: secretOf(world.digest, hook) };
}
