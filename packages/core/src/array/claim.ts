/** Beginning the next run of an array: its record comes into being when it is placed, by whoever places it first. */
import * as Actor from "../actor/actor.ts";
import type * as Job from "../job/job.ts";
import type { Queued } from "../job/queue.ts";
import * as Keys from "../keys.ts";
import type { Item, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Stored } from "../record.ts";
import * as JobArray from "./array.ts";
import { change } from "./move.ts";

/** How many cancelled runs are passed over at a time. */
const PASSED = 50;

export interface Claim {
  /** The run, as a queued job that is not written yet: the move that places it writes it, and its event. */
  readonly job: Stored<Extract<Job.Job, { state: "queued" }>>;
  /** What goes with that move, in its transaction: the array's counts, and its place in the queue when it loses that. */
  readonly writes: readonly Write[];
}

/**
 * Two that claim at once cannot both write: they count the same array, and make the same record.
 * @param head its place in the queue, as read
 * @returns `stale` when none of its runs may begin: the place is to be removed, while that check holds. An array that is given
 * its place back gets the same one, and its version counts from 1 again.
 */
export async function claim(
  world: Basics,
  workspace: string,
  head: Item,
  { jobId }: Pick<Queued, "jobId">,
): Promise<Claim | { readonly stale: Write }> {
  for (;;) {
    const key = Keys.array(workspace, jobId);
    const array = await load(world.table, JobArray.noun, key);
    if (array === undefined || !JobArray.isClaimable(array))
      return { stale: { check: key, expect: array?.version ?? "absent" } };
    const passed = await cancelledFrom(world, array);
    const index = array.next + passed;
    const skips = (array.skips ?? 0) - passed;
    const actor = Actor.system(workspace);
    if (passed === PASSED) {
      const { writes } = await change(world, actor, array, { counts: { next: index, skips } });
      await world.table.write(writes);
      continue;
    }
    const now = world.clock.now();
    const counts = { next: index + 1, skips, started: array.started + 1, running: array.running + 1 };
    const { writes } = await change(world, actor, array, {
      counts,
      more: { startedAt: array.startedAt ?? now },
      entry: head,
    });
    return { job: JobArray.runOf(array, index, now), writes };
  }
}

/** How many of the next runs were cancelled before they began: they have their records already. */
async function cancelledFrom(world: Basics, array: JobArray.JobArray): Promise<number> {
  if (array.skips === undefined) return 0;
  for (let passed = 0; passed < PASSED; passed++) {
    const { workspace, id } = JobArray.runOf(array, array.next + passed, 0);
    if ((await world.table.get(Keys.job(workspace, id))) === undefined) return passed;
  }
  return PASSED;
}
