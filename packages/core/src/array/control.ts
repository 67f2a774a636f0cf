/** Cancelling whatever has a job's id: a job, an array, or one run of it. What has ended stays as it is. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { cancelOnce as cancelJob, requireControl } from "../job/cancel.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import * as JobArray from "./array.ts";
import { ceasing, sparing } from "./cancel.ts";
import { type Found, seek } from "./read.ts";

/** @throws MusterError `not_found`, `forbidden` */
export const cancel = (world: Basics, actor: Actor, id: string): Promise<Job.Info> =>
  retrying(async () => {
    if ((await world.table.get(Keys.job(actor.workspace, id))) !== undefined) return cancelJob(world, actor, id);
    const found = await seek(world, actor.workspace, id);
    if (found === undefined || found.run) return cancelJob(world, actor, id);
    await requireControl(world, actor, found.array);
    const { info, writes } = await writesFor(world, actor, found);
    await commit(world, actor, writes, info);
    return info;
  });

async function writesFor(
  world: Basics,
  actor: Actor,
  { array, index, info }: Found,
): Promise<{ info: Job.Info; writes: readonly Write[] }> {
  if (index === undefined) {
    const done = await ceasing(world, actor, array, { end: "cancel" });
    return done ? { info: JobArray.info(done.next), writes: done.writes } : { info, writes: [] };
  }
  if (index < array.next || array.state === "cancelling" || JobArray.isOver(array)) return { info, writes: [] };
  const { run, writes } = await sparing(world, actor, array, index);
  return { info: Job.info(run), writes };
}
