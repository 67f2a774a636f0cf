/** A workspace's stored secrets, by name; never their values. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Secret from "./secret.ts";

export const list = (
  world: { readonly table: Table },
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Secret.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.secrets(actor.workspace), prefix: Keys.SECRET }, request, item =>
    Secret.Info.parse(glimpse(Secret.noun, item)),
  );
