/** Making a workspace: its budget and quotas are the defaults, and it has nobody until a token is made for it. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { insert } from "../record.ts";
import * as Workspace from "./workspace.ts";

/** @throws MusterError `forbidden` for others than admins of the first workspace; `name_taken`. */
export const create = (world: Basics, actor: Actor, { name }: Workspace.Create): Promise<Workspace.Workspace> =>
  retrying(async () => {
    Workspace.requireFirst(actor);
    if (Workspace.isFirst(name) || (await world.table.get(Keys.workspace(name))) !== undefined)
      throw new MusterError("name_taken", `there is a workspace '${name}'`, { hint: "choose another name" });
    const made = { name, createdAt: world.clock.now(), createdBy: actor.id };
    const writes = [insert(Workspace.noun, made), created(world, actor, name), ...(await first(world, actor))];
    await commit(world, actor, writes, made);
    return made;
  });

/** The first one gets its record with the second, so that the list is of records alone. */
async function first({ table }: Basics, { workspace }: Actor): Promise<Write[]> {
  const found = await table.get(Keys.workspace(workspace));
  return found === undefined ? [insert(Workspace.noun, { name: workspace })] : [];
}

/** It happened in the workspace of who did it: the new one has nobody who could look. */
const created = (world: Basics, actor: Actor, name: string): Write =>
  Event.within(
    actor.workspace,
    Event.happens(world, Keys.workspace(name), actor, { subject: name, kind: "workspace.created" }),
  );
