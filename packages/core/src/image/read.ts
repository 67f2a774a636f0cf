/** A workspace's images, newest first, and what has happened to each. */
import type { Actor } from "../actor/actor.ts";
import type { Event } from "../event/event.ts";
import { eventsOf } from "../event/read.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Image from "./image.ts";

type Part = { readonly table: Table };

/** From an index: one that was saved this instant may be missing. */
export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Image.Info[]; cursor?: string }> =>
  listed(
    world.table,
    { pk: Keys.list(actor.workspace, "image", "").pk, index: "list", order: "descending" },
    request,
    item => Image.info(glimpse(Image.noun, item)),
  );

/** By id or name. @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, reference: string): Promise<Image.Info> =>
  Image.info(await Image.find(world.table, actor.workspace, reference));

/** Its history, oldest first. @throws MusterError `not_found`. */
export async function events(
  world: Part,
  actor: Actor,
  reference: string,
  request: PageRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const image = await Image.find(world.table, actor.workspace, reference);
  return eventsOf(world, Image.noun.key(image), request);
}
