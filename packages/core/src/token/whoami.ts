/** Whose token was sent, where it comes from, and when it ends. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import { VERSION } from "../version.ts";
import { noun, type Whoami } from "./token.ts";

export async function whoami({ table }: { readonly table: Table }, actor: Actor): Promise<Whoami> {
  const { workspace, id, role, via } = actor;
  const token = via?.token === undefined ? undefined : await load(table, noun, Keys.token(via.token));
  const { expiresAt, createdBy, issuer, origin } = token ?? {};
  return {
    ...{ workspace, id, role, version: VERSION },
    ...(token !== undefined && { token: token.id }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(createdBy !== undefined && { createdBy }),
    ...(issuer !== undefined && { issuer }),
    ...(origin !== undefined && { origin }),
  };
}
