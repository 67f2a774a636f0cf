/** A workspace's stored secrets, by name; never their values. */
import type { Actor } from "../actor/actor.ts";
import type { PageRequest } from "../cluster/read.ts";
import * as Keys from "../keys.ts";
import { filtered } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Secret from "./secret.ts";

export const list = (
  world: { readonly table: Table },
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Secret.Info[]; cursor?: string }> =>
  filtered(
    (cursor, limit) =>
      world.table.query({
        pk: Keys.secrets(actor.workspace),
        prefix: Keys.SECRET,
        limit,
        ...(cursor !== undefined && { cursor }),
      }),
    request.limit,
    request.cursor,
    item => Secret.Info.parse(glimpse(Secret.noun, item)),
  );
