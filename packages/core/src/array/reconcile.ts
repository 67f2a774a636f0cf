/** Looks after one array: those of its runs that go on look after themselves. */
import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { retrying } from "../commit.ts";
import { enqueue, queueKey } from "../job/queue.ts";
import { schedule } from "../job/schedule.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load, type Stored } from "../record.ts";
import * as JobArray from "./array.ts";
import { CANCEL_CHECK, ceasing, tell } from "./cancel.ts";

/** How long an array may go unseen by anybody, in ms: a backstop behind the doorbell and the ends of its runs. */
const CHECK = 3_600_000;

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
  const hasMore = await tell(world, array);
  await retrying(async () => {
    const now = world.clock.now();
    const found = await load(world.table, JobArray.noun, JobArray.noun.key(array));
    if (found?.state !== "cancelling") return;
    if (!hasMore && found.round === undefined && found.dueAt > now) return;
    const round = hasMore ? (found.round ?? 0) + 1 : undefined;
    await world.table.write([
      amend<JobArray.JobArray>(JobArray.noun, found, { round, dueAt: now + CANCEL_CHECK }).write,
    ]);
  });
}

/** It waits only as long as its cluster lives, and no longer than it was to. */
async function lookAfter(world: Basics, array: In): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(array.workspace, array.clusterId));
  if (cluster === undefined || Cluster.isOver(cluster)) return end(world, array, { message: "its cluster has ended" });
  await schedule(world, { workspace: array.workspace, clusterId: array.clusterId });
  await retrying(() => renew(world, array));
}

const end = (world: Basics, { workspace, id }: In, why: { readonly message: string }): Promise<void> =>
  retrying(async () => {
    const array = await load(world.table, JobArray.noun, Keys.array(workspace, id));
    const done = array && (await ceasing(world, Actor.system(workspace), array, { end: "cancel" }, why));
    if (done) await world.table.write(done.writes);
  });

/** Moves the backstop; and makes good a place in the queue that is not there, whoever took it away. */
async function renew(world: Basics, { workspace, id }: In): Promise<void> {
  const array = await load(world.table, JobArray.noun, Keys.array(workspace, id));
  const now = world.clock.now();
  if (array === undefined || !("dueAt" in array) || array.dueAt > now) return;
  const { write } = amend<JobArray.JobArray>(JobArray.noun, array, { dueAt: now + CHECK });
  const isMissing = JobArray.isClaimable(array) && (await world.table.get(queueKey(array))) === undefined;
  await world.table.write(isMissing ? [write, enqueue(array, true)] : [write]);
}
