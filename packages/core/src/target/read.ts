/** A workspace's targets, by name. */
import type { Actor } from "../actor/actor.ts";
import type { PageRequest } from "../cluster/read.ts";
import * as Keys from "../keys.ts";
import { filtered } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Target from "./target.ts";

type Part = { readonly table: Table };

export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Target.Info[]; cursor?: string }> =>
  filtered(
    (cursor, limit) =>
      world.table.query({
        pk: Keys.targets(actor.workspace),
        prefix: Keys.TARGET,
        limit,
        ...(cursor !== undefined && { cursor }),
      }),
    request.limit,
    request.cursor,
    item => Target.Info.parse(glimpse(Target.noun, item)),
  );

/** @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, name: string): Promise<Target.Info> =>
  Target.Info.parse(await Target.get(world.table, actor.workspace, name, "params.name"));
