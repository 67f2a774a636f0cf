/** A workspace's dead letters. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as DeadLetter from "./deadletter.ts";

type Part = { readonly table: Table };

/** What has failed, but less than three times, is left out. */
export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: DeadLetter.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.deadLetters(actor.workspace), prefix: Keys.DEAD_LETTER }, request, item => {
    const letter = glimpse(DeadLetter.noun, item);
    return DeadLetter.isDead(letter) ? DeadLetter.info(letter) : undefined;
  });

/** @throws MusterError `not_found`. */
export const get = async (world: Part, actor: Actor, id: string): Promise<DeadLetter.Info> =>
  DeadLetter.info(await DeadLetter.get(world.table, actor.workspace, id));
