/** A workspace's schedules, by name, and what each has done. */
import type { Actor } from "../actor/actor.ts";
import type { Event } from "../event/event.ts";
import { type EventsRequest, eventsOf } from "../event/read.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import { nextTimes } from "./next.ts";
import * as Schedule from "./schedule.ts";

type Part = { readonly table: Table };

/** How many of its next times are shown. */
const SHOWN = 5;

/** From an index: one that was set this instant may be missing. */
export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Schedule.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.list(actor.workspace, "schedule", "").pk, index: "list" }, request, item =>
    Schedule.Info.parse(glimpse(Schedule.noun, item)),
  );

/** @throws MusterError `not_found`. */
export async function get(
  world: Part & { readonly clock: Clock },
  actor: Actor,
  name: string,
): Promise<Schedule.Details> {
  const schedule = await Schedule.get(world.table, actor.workspace, name);
  const next = schedule.paused ? [] : nextTimes(schedule, world.clock.now(), SHOWN);
  return Schedule.Details.parse({ ...schedule, next });
}

/** Its history, oldest first unless the latest are asked for. @throws MusterError `not_found`. */
export async function events(
  world: Part,
  actor: Actor,
  name: string,
  request: EventsRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const schedule = await Schedule.get(world.table, actor.workspace, name);
  return eventsOf(world, Schedule.noun.key(schedule), request);
}
