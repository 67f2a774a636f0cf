/** Ending the jobs of a cluster that stops or goes away. */
import * as Actor from "../../actor/actor.ts";
import { retrying } from "../../commit.ts";
import { cancellation } from "../../job/cancel.ts";
import { ending } from "../../job/end.ts";
import * as Job from "../../job/job.ts";
import { Queued } from "../../job/submit.ts";
import * as Keys from "../../keys.ts";
import type { ClusterRef } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { load } from "../../record.ts";
import * as Slots from "../slots.ts";

/** How long running jobs have to end by themselves, in ms: their agents' grace, and the way home of the logs. */
export const JOB_GRACE = 30_000;

/** Asks the jobs that run on the cluster to end. @returns how many still hold hosts. */
export async function cancelRunning(world: World, ref: ClusterRef, message: string): Promise<number> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  const running = slots === undefined ? [] : Slots.busy(slots);
  for (const { jobId } of running) await cancelOne(world, ref, jobId, message);
  return running.length;
}

/** Cancels what waits in the cluster's queue. */
export async function cancelQueued(world: World, ref: ClusterRef, message: string): Promise<void> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  for (;;) {
    const page = await world.table.query({ pk, prefix: "Q#", limit: 100 });
    if (page.items.length === 0) return;
    for (const item of page.items) {
      const done = await cancelOne(world, ref, Queued.parse(item.data).jobId, message);
      if (!done) await retrying(() => world.table.write([{ remove: item, expect: item.version }]));
    }
  }
}

function cancelOne(world: World, ref: ClusterRef, jobId: string, message: string): Promise<boolean> {
  return retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(ref.workspace, jobId));
    const done = job && (await cancellation(world, Actor.system(ref.workspace), job, { message }));
    if (done) await world.table.write(done.writes);
    return done !== undefined;
  });
}

/** Ends the jobs whose hosts are gone for certain: nobody is left to report for them. */
export async function closeRunning(world: World, ref: ClusterRef, message: string): Promise<void> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  for (const { jobId } of slots === undefined ? [] : Slots.busy(slots))
    await retrying(async () => {
      const job = await load(world.table, Job.noun, Keys.job(ref.workspace, jobId));
      if (job === undefined || !Job.isPlaced(job)) return clearSlot(world, ref, jobId);
      const event = job.state === "cancelling" ? "cancelled" : "fail";
      const failure = event === "fail" ? { code: "host_lost", message } : undefined;
      const { writes } = await ending(
        world,
        Actor.system(ref.workspace),
        job,
        event,
        { verdict: undefined, logsComplete: false, failure },
        { message },
      );
      await world.table.write(writes);
    });
}

/** A slot that still names a job which holds nothing: freed. */
async function clearSlot(world: World, ref: ClusterRef, jobId: string): Promise<void> {
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  if (slots) await world.table.write([Slots.release(slots, jobId, world.clock.now()).write]);
}
