/** Removing a hook: nothing is received at its address any more. What it launched goes on. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import * as Hook from "./hook.ts";

/** @throws MusterError `not_found`, `forbidden`. */
export const remove = (world: Basics, actor: Actor, reference: string): Promise<Hook.Info> =>
  retrying(async () => {
    const known = await Hook.get(world.table, actor.workspace, reference);
    Hook.requireControl(actor, known);
    const { workspace, id, name } = known;
    const beside = [
      Keys.hookRules(workspace, id),
      Keys.hookName(workspace, name),
      Keys.hookOwner(id),
      Keys.hookWatch(workspace, id),
    ];
    const items = await Promise.all(beside.map(key => world.table.get(key)));
    const gone = items.flatMap((item): Write[] =>
      item ? [{ remove: { pk: item.pk, sk: item.sk }, expect: item.version }] : [],
    );
    const info = Hook.info(known);
    const own: Write = { remove: Hook.noun.key(known), expect: known.version };
    await commit(world, actor, [own, ...gone, Hook.eventOf(world, actor, known, "removed")], info);
    return info;
  });
