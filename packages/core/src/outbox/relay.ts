/** An event, told to all whom it concerns. */
import { note } from "../audit/note.ts";
import type { Event } from "../event/event.ts";
import type { Outside } from "../ports/world.ts";
import { note as noteReport } from "../report/note.ts";
import { enqueue } from "../webhook/enqueue.ts";

/**
 * Each of them writes what it makes of the event under an id that follows from the event's: an event that comes twice
 * changes nothing. One that fails does not keep the others from it.
 * @throws AggregateError of what failed: the event must come again.
 */
export async function relay(world: Outside, event: Event, workspace: string): Promise<void> {
  const told = await Promise.allSettled([
    note(world, event, workspace),
    enqueue(world, event, workspace),
    noteReport(world, event, workspace),
  ]);
  const failures = told.flatMap(one => (one.status === "rejected" ? [one.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
}
