/** Looks after one array: those of its runs that go on look after themselves. */
import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { retrying } from "../commit.ts";
import { enqueue, queueKey } from "../job/queue.ts";
import { isTooLate, lookAt } from "../job/queue-time.ts";
import { schedule } from "../job/schedule.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load, type Stored } from "../record.ts";
import * as JobArray from "./array.ts";
import { CANCEL_CHECK, ceasing, tell } from "./cancel.ts";

type In = Stored<JobArray.JobArray>;

export async function reconcile(
  world: Basics,
  ref: { readonly workspace: string; readonly id: string },
): Promise<void> {
  const array = await load(world.table, JobArray.noun, Keys.array(ref.workspace, ref.id));
  if (array === undefined || JobArray.isOver(array)) return;
  return array.state === "cancelling" ? goOn(world, array) : lookAfter(world, array);
}

/** The next batch is called for by a write, which rings: this call ends after a bounded time however many runs there are. */
async function goOn(world: Basics, array: In): Promise<void> {
  const round = ("round" in array && array.round) || 0;
  const hasMore = await tell(world, array, round);
  await retrying(async () => {
    const now = world.clock.now();
    const found = await load(world.table, JobArray.noun, JobArray.noun.key(array));
    if (found?.state !== "cancelling") return;
    // Somebody else may have told these as well, and more.
    const isNext = found.round === undefined ? !hasMore && found.dueAt <= now : found.round === round;
    if (!isNext) return;
    const patch = { round: hasMore ? round + 1 : undefined, dueAt: now + CANCEL_CHECK };
    await world.table.write([amend<JobArray.JobArray>(JobArray.noun, found, patch).write]);
  });
}

/** It waits only as long as its cluster lives, and no longer than it was to. */
async function lookAfter(world: Basics, array: In): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(array.workspace, array.clusterId));
  if (cluster === undefined || Cluster.isOver(cluster)) return end(world, array, { message: "its cluster has ended" });
  await schedule(world, { workspace: array.workspace, clusterId: array.clusterId });
  if (!(await expired(world, array))) await retrying(() => renew(world, array));
}

const end = (world: Basics, { workspace, id }: In, why: { readonly message: string }): Promise<void> =>
  retrying(async () => {
    const array = await load(world.table, JobArray.noun, Keys.array(workspace, id));
    const done = array && (await ceasing(world, Actor.system(workspace), array, { end: "cancel" }, why));
    if (done) await world.table.write(done.writes);
  });

/** None of its runs has begun in the time that it could wait. @returns whether that was so */
const expired = (world: Basics, { workspace, id }: In): Promise<boolean> =>
  retrying(async () => {
    const array = await load(world.table, JobArray.noun, Keys.array(workspace, id));
    const now = world.clock.now();
    if (array?.state !== "queued" || !isTooLate({ ...array, attempts: array.started }, now)) return false;
    const message = `none of its runs began within the ${Math.round(((array.startBy ?? now) - array.createdAt) / 1000)} s that it could wait`;
    const failure = {
      code: "queue_timeout",
      message,
      hint: `see what was ahead of it: muster queue ${array.clusterName}`,
    };
    const done = await ceasing(world, Actor.system(workspace), array, { end: "expire", failure }, { message });
    if (done) await world.table.write(done.writes);
    return done !== undefined;
  });

/** Moves the backstop; and makes good a place in the queue that is not there, whoever took it away. */
async function renew(world: Basics, { workspace, id }: In): Promise<void> {
  const array = await load(world.table, JobArray.noun, Keys.array(workspace, id));
  const now = world.clock.now();
  if (array === undefined || !("dueAt" in array) || array.dueAt > now) return;
  const { write } = amend<JobArray.JobArray>(JobArray.noun, array, {
    dueAt: lookAt({ ...array, attempts: array.started }, now),
  });
  const isMissing = JobArray.isClaimable(array) && (await world.table.get(queueKey(array))) === undefined;
  await world.table.write(isMissing ? [write, enqueue(array, true)] : [write]);
}
