/** A workspace's tokens, newest first; never their secrets, which nobody has. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Workspace from "../workspace/workspace.ts";
import * as Token from "./token.ts";

export const Query = z.object({
  mine: z.stringbool().default(false).meta({ description: "Only those that speak for the caller; others see no more" }),
  workspace: Workspace.Name.optional().meta({
    description: "Whose; another than their own admins of the first one see",
  }),
});

type Request = PageRequest & { readonly mine?: boolean; readonly workspace?: string | undefined };

/** Admins see all of them, and everybody their own. @throws MusterError `forbidden`, `not_found` for another workspace */
export async function list(
  world: { readonly table: Table },
  actor: Actor,
  { mine, workspace = actor.workspace, ...request }: Request,
): Promise<{ items: Token.Info[]; cursor?: string }> {
  if (workspace !== actor.workspace) await Workspace.get(world, actor, workspace);
  const isAll = actor.role === "admin" && mine !== true;
  return listed(
    world.table,
    { pk: Keys.list(workspace, "token", "").pk, index: "list", order: "descending" },
    request,
    item => {
      const token = glimpse(Token.noun, item);
      return isAll || token.actor === actor.id ? Token.Info.parse(token) : undefined;
    },
  );
}
