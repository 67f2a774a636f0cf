/** What is due outside, and has not been done: the guarantee behind the stream and the timers. */
import { inTurns } from "../fair.ts";
import * as Keys from "../keys.ts";
import type { Outside } from "../ports/world.ts";
import { dueIn } from "../sweep/due-in.ts";
import { surviving } from "../sweep/surviving.ts";
import { bury } from "./bury.ts";
import { perform } from "./deliver.ts";
import { type Entry, entryForDue, subjectOf } from "./outbox.ts";

/** How many are done at a time: each may wait for somebody else's server. */
const AT_ONCE = 32;

/**
 * One that fails does not keep the others from being done.
 * @param until epoch ms: nothing is begun after that
 * @returns how many were due.
 */
export async function sweepOutbox(world: Outside, until: number = Infinity): Promise<number> {
  const due = await dueEntries(world);
  await inTurns(
    due,
    ({ workspace }) => workspace,
    AT_ONCE,
    async entry => {
      if (world.clock.now() < until) await one(world, entry);
    },
  );
  return due.length;
}

/** Everything that is due. A shard that cannot be read does not keep the others from being read. */
export async function dueEntries(world: Pick<Outside, "table" | "clock" | "log">): Promise<readonly Entry[]> {
  const now = world.clock.now();
  const shards = Array.from({ length: Keys.OUTBOX_SHARDS }, (_, shard) =>
    surviving(world, "a shard of the outbox could not be read", { shard }, () =>
      dueIn(world.table, Keys.outboxPartition(shard), now),
    ),
  );
  return (await Promise.all(shards)).flatMap(items => (items ?? []).flatMap(item => entryForDue(item) ?? []));
}

async function one(world: Outside, entry: Entry): Promise<void> {
  const run = async (): Promise<void> => {
    try {
      await perform(world, entry);
    } catch (error) {
      // It comes again by itself, with the next sweep: once it has failed three times somebody should know.
      await bury(world, entry, 1, error);
      throw error;
    }
  };
  await surviving(world, "something that is due outside failed", { entry: subjectOf(entry) }, run);
}
