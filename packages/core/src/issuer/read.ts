/** A workspace's issuers, by name. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Issuer from "./issuer.ts";

type Part = { readonly table: Table };

export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Issuer.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.issuers(actor.workspace), prefix: Keys.ISSUER }, request, item =>
    Issuer.Info.parse(glimpse(Issuer.noun, item)),
  );

/** @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, name: string): Promise<Issuer.Info> =>
  Issuer.Info.parse(await Issuer.get(world.table, actor.workspace, name));
