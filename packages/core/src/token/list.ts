/** A workspace's tokens, newest first; never their secrets, which nobody has. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Token from "./token.ts";

export const list = (
  world: { readonly table: Table },
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Token.Info[]; cursor?: string }> =>
  listed(
    world.table,
    { pk: Keys.list(actor.workspace, "token", "").pk, index: "list", order: "descending" },
    request,
    item => Token.Info.parse(glimpse(Token.noun, item)),
  );
