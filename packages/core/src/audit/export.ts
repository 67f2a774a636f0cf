/**
 * Writing a day's lines to the bucket, when it is over: one object, and a further part for lines that came later, or were too
 * many. A part holds what no part before it holds, so that no line is lost and none is there twice.
 *
 * Gotcha: a part is written before the record counts it. Whoever is interrupted between the two writes the same part again.
 */
import * as Keys from "../keys.ts";
import { WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import * as Audit from "./audit.ts";

/** The most lines of a part: some megabytes. */
export const MOST_LINES = 5_000;

/** As long as any function may run, in ms: two that write the same part could lose lines. */
const LEASE = 15 * 60_000;

type Part = Pick<World, "table" | "blobs" | "clock">;

/** Writes what the bucket lacks of a day that is due; of one that is not, nothing. @param id the day */
export async function exportDay(
  world: Part,
  { workspace, id }: { readonly workspace: string; readonly id: string },
): Promise<void> {
  const item = await world.table.get(Keys.auditDay(workspace, id));
  const day = item && Audit.read(item);
  const now = world.clock.now();
  if (day === undefined || (day.dueAt ?? Infinity) > now) return;
  const { version, ...known } = day;
  if (!(await moved(world, { ...known, state: "writing", dueAt: now + LEASE }, version))) return;
  const lines = await missing(world, known);
  if (lines.length > 0)
    await world.blobs.put(
      Audit.partOf(workspace, id, day.parts),
      new TextEncoder().encode(lines.map(line => `${line}\n`).join("")),
    );
  const parts = day.parts + (lines.length > 0 ? 1 : 0);
  const isMore = lines.length === MOST_LINES;
  const next: Audit.Day = { workspace, id, parts, ...(isMore ? { state: "open", dueAt: now } : { state: "done" }) };
  // When it fails a line has come meanwhile, and the day is open again: the same part is then written with it.
  await moved(world, next, version + 1);
}

async function moved({ table }: Part, day: Audit.Day, expect: number): Promise<boolean> {
  try {
    await table.write([{ put: Audit.draft(day), expect }]);
    return true;
  } catch (error) {
    if (error instanceof WriteConflict) return false;
    throw error;
  }
}

/** Lines that are in no part yet, in the order of their events, as many as one part may have. */
async function missing(world: Part, { workspace, id, parts }: Audit.Day): Promise<string[]> {
  const there = await written(world, workspace, id, parts);
  const lines: string[] = [];
  let cursor: string | undefined;
  do {
    const pk = Keys.audited(workspace, id);
    const page = await world.table.query({ pk, limit: 1000, ...(cursor !== undefined && { cursor }) });
    lines.push(...page.items.filter(({ sk }) => !there.has(sk)).map(({ data }) => JSON.stringify(data)));
    cursor = page.cursor;
  } while (cursor !== undefined && lines.length < MOST_LINES);
  return lines.slice(0, MOST_LINES);
}

/** Ids of the events that are in the bucket. */
async function written({ blobs }: Part, workspace: string, day: string, parts: number): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let part = 0; part < parts; part++) {
    const bytes = await blobs.get(Audit.partOf(workspace, day, part));
    const lines = new TextDecoder().decode(bytes).split("\n");
    for (const line of lines.filter(line => line !== "")) ids.add(String(JSON.parse(line).id));
  }
  return ids;
}
