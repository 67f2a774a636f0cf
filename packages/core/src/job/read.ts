/** Reading jobs: one, and its history. */

import type { Actor } from "../actor/actor.ts";
import { requireNone, seek } from "../array/read.ts";
import { withValues } from "../array/shown.ts";
import { MusterError } from "../error.ts";
import type { Event } from "../event/event.ts";
import { eventsOf } from "../event/read.ts";
import * as Keys from "../keys.ts";
import type { PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { load, type Stored } from "../record.ts";
import * as Job from "./job.ts";

type Part = { readonly table: Table };

/** @throws MusterError `not_found`, the same for another workspace's job as for none. */
export async function find(world: Part, actor: Actor, id: string): Promise<Stored<Job.Job>> {
  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, id));
  if (job) return job;
  const found = await seek(world, actor.workspace, id);
  if (found?.run) return found.run;
  requireNone(found, id);
  throw new MusterError("not_found", `there is no job '${id}'`, { hint: "see the latest with: muster queue" });
}

/** An array, and a run of one that has not begun, as well. */
export async function get(world: Part, actor: Actor, id: string): Promise<Job.Info> {
  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, id));
  const info = job ? Job.info(job) : (await seek(world, actor.workspace, id))?.info;
  if (info === undefined) return Job.info(await find(world, actor, id));
  const [shown = info] = await withValues(world.table, actor.workspace, [info]);
  return shown;
}

export async function events(
  world: Part,
  actor: Actor,
  id: string,
  request: PageRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, id));
  if (job) return eventsOf(world, Keys.job(actor.workspace, id), request);
  const found = await seek(world, actor.workspace, id);
  if (found === undefined || found.run) return eventsOf(world, Job.noun.key(await find(world, actor, id)), request);
  // Of a run that has not begun nothing has happened.
  return found.index === undefined ? eventsOf(world, Keys.array(actor.workspace, id), request) : { items: [] };
}
