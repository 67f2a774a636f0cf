/** Taking an event into the audit. */
import type { Event } from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import { WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import * as Audit from "./audit.ts";

type Part = Pick<World, "table" | "clock">;

/** Keeps what somebody's request has caused; an event that comes twice is kept once. */
export async function note(world: Part, event: Event, workspace: string): Promise<void> {
  if (event.via === undefined) return;
  const day = Audit.dayOf(event.at);
  const key = Keys.audit(workspace, day, event.id);
  await unlessThere(world, { ...key, type: "audit", data: event, expiresAt: event.at + Audit.KEPT });
  // After the line: whoever writes the day out either sees the line, or has said before that it is being written.
  await open(world, workspace, day);
}

/** Says that a day has lines that may not be in the bucket yet. */
async function open(world: Part, workspace: string, id: string): Promise<void> {
  const item = await world.table.get(Keys.auditDay(workspace, id));
  const day = item && Audit.read(item);
  if (day?.state === "open") return;
  const put = Audit.draft(Audit.opened(workspace, id, day?.parts ?? 0, world.clock.now()));
  if (day === undefined) return unlessThere(world, put);
  try {
    await world.table.write([{ put, expect: day.version }]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
    await open(world, workspace, id);
  }
}

async function unlessThere({ table }: Part, put: Extract<Write, { put: unknown }>["put"]): Promise<void> {
  try {
    await table.write([{ put, expect: "absent" }]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}
