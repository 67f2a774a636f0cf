/** A workspace's targets, by name. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Target from "./target.ts";

type Part = { readonly table: Table };

export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Target.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.targets(actor.workspace), prefix: Keys.TARGET }, request, item =>
    Target.Info.parse(glimpse(Target.noun, item)),
  );

/** @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, name: string): Promise<Target.Info> =>
  Target.Info.parse(await Target.get(world.table, actor.workspace, name, "params.name"));
