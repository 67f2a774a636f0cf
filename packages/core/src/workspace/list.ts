/** All workspaces, by name. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Workspace from "./workspace.ts";

/** @throws MusterError `forbidden` for others than admins of the first workspace. */
export async function list(
  world: { readonly table: Table },
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Workspace.Workspace[]; cursor?: string }> {
  Workspace.requireFirst(actor);
  const source = { pk: Keys.WORKSPACES, prefix: Keys.WORKSPACE };
  const page = await listed(world.table, source, request, item =>
    Workspace.Workspace.parse(glimpse(Workspace.noun, item)),
  );
  // Before there is a second one, the first has no record.
  const isAlone = request.cursor === undefined && page.items.length === 0;
  return isAlone ? { items: [{ name: actor.workspace }] } : page;
}
