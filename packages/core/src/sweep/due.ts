/** Looks after what is due: the guarantee behind every doorbell and event. */
import { answerDue } from "../doorbell.ts";
import { inTurns } from "../fair.ts";
import * as Keys from "../keys.ts";
import type { Sighting } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { dueIn } from "./due-in.ts";
import { surviving } from "./surviving.ts";

/** How many due items are looked after at a time: one that hangs until its time is over holds up few others. */
const AT_ONCE = 8;

/** @returns how many things were due. One that fails does not keep the others from being looked at. */
export async function sweepDue(world: World): Promise<number> {
  const now = world.clock.now();
  const shards = Array.from({ length: Keys.DUE_SHARDS }, (_, shard) =>
    surviving(world, "a shard of what is due could not be read", { shard }, () =>
      dueIn(world.table, Keys.duePartition(shard), now),
    ),
  );
  const due = (await Promise.all(shards)).flatMap(items => items ?? []);
  // In turns, by workspace: many things of one keep those of others waiting for their turn only.
  await inTurns(due, workspaceOf, AT_ONCE, sighting =>
    surviving(world, "a due reconciliation failed", { item: sighting.pk }, () => answerDue(world, sighting)),
  );
  return due.length;
}

const workspaceOf = ({ data }: Sighting): string => String(data.workspace);
