/** Looks after what is due: the guarantee behind every doorbell and event. */
import { answerDue } from "../doorbell.ts";
import { inTurns } from "../fair.ts";
import * as Keys from "../keys.ts";
import type { Sighting } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { surviving } from "./surviving.ts";

/** Due items that one reading of a shard takes. */
const PER_READ = 200;

/** How many due items are looked after at a time: one that hangs until its time is over holds up few others. */
const AT_ONCE = 8;

/** @returns how many things were due. One that fails does not keep the others from being looked at. */
export async function sweepDue(world: World): Promise<number> {
  const now = world.clock.now();
  const shards = Array.from({ length: Keys.DUE_SHARDS }, (_, shard) =>
    surviving(world, "a shard of what is due could not be read", { shard }, () => dueIn(world, shard, now)),
  );
  const due = (await Promise.all(shards)).flatMap(items => items ?? []);
  // In turns, by workspace: many things of one keep those of others waiting for their turn only.
  await inTurns(due, workspaceOf, AT_ONCE, sighting =>
    surviving(world, "a due reconciliation failed", { item: sighting.pk }, () => answerDue(world, sighting)),
  );
  return due.length;
}

const workspaceOf = ({ data }: Sighting): string => String(data.workspace);

/** To the end: what fails again and again stays at the front, and must not hide what is behind it. */
async function dueIn(world: World, shard: number, now: number): Promise<readonly Sighting[]> {
  // `~` sorts after the digits and the separator: everything due up to now, whatever it belongs to.
  const range = { pk: Keys.duePartition(shard), index: "due", upTo: `${Keys.dueSort(now)}~`, limit: PER_READ } as const;
  const found: Sighting[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
