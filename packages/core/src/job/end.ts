/** The end of a job: the record, its hosts, and its cluster when the job was to take it along, in one transaction. */

import { settleRun } from "../array/settle.ts";
import { removal } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Hook from "../cluster/hook.ts";
import { type Kept, LEAST_GRACE } from "../cluster/idle.ts";
import * as Slots from "../cluster/slots.ts";
import { asTold } from "../cluster/words.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Move, type Patch, type Stored, type Why } from "../record.ts";
import { unpark } from "./after.ts";
import { ended } from "./cost.ts";
import * as Job from "./job.ts";
import { queueKey } from "./queue.ts";
import { isAwaited, release, unwait } from "./recover.ts";

export type EndEvent = "succeed" | "fail" | "expire" | "cancel" | "cancelled";

/** The move that ends the job, and all writes that go with it. The caller commits them. */
export async function ending(
  world: Basics,
  actor: { readonly id: string },
  job: Stored<Job.Job>,
  event: EndEvent,
  patch: Patch<Job.Job>,
  why: Why = {},
): Promise<{ move: Move<Job.Job>; writes: readonly Write[] }> {
  const now = world.clock.now();
  const move = advance(
    world,
    Job.kind,
    actor,
    job,
    event,
    { logsComplete: true, ...patch, endedAt: now, cost: ended(job, now) },
    why,
  );
  const place = await leaving(world, job, now);
  const array = await settleRun(world, actor, job, move.next);
  const cluster = job.down || array.down ? await takeAlong(world, actor, job, place) : [];
  return { move, writes: [...move.writes, ...place, ...array.writes, ...cluster] };
}

/** The job gives up its place: among those that wait or are tried again, in the queue, or on its hosts. */
function leaving(world: Basics, job: Job.Job, now: number): Promise<Write[]> {
  if (job.state === "waiting") return unpark(world.table, job);
  if (job.state === "recovering") return unwait(world.table, job);
  return job.state === "queued" ? unqueue(world, job) : release(world, job, now);
}

async function unqueue(world: Basics, job: Job.Job): Promise<Write[]> {
  const item = await world.table.get(queueKey(job));
  return item ? [{ remove: queueKey(job), expect: item.version }] : [];
}

/**
 * The job was to take its cluster along. While other jobs hold or await its hosts, or somebody holds the cluster, it goes
 * when that is over.
 * @param place what goes into the same transaction of the job's own place
 */
export async function takeAlong(
  world: Basics,
  actor: { readonly id: string },
  job: Pick<Job.Job, "workspace" | "clusterId" | "id">,
  place: readonly Write[] = [],
): Promise<readonly Write[]> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster === undefined || Cluster.isLeaving(cluster)) return [];
  // Somebody stops it, which keeps its disks: that was said later than the job's wish.
  if (cluster.state === "stopping" && !cluster.byPolicy) return [];
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  const others = await hasOthers(world, job, slots);
  if (!others && !Cluster.isHeld(cluster, world.clock.now())) {
    const why = { message: `job ${job.id} ended` };
    const writes = removal(world, actor, cluster, why, Hook.awaitedAfterJob(cluster))?.writes ?? [];
    return [...writes, ...asSeen(slots, place)];
  }
  return [later(world, cluster, others)];
}

/** Its policy from now on: it ends as soon as nothing keeps it any more. */
function later(world: Basics, cluster: Stored<Cluster.Cluster>, others: boolean): Write {
  const before = Cluster.policyOf(cluster);
  const { hook, then } = before === "never" ? {} : before;
  const now = world.clock.now();
  const idle: Kept = {
    ...{ after: 0, action: "terminate" },
    ...(hook && { hook }),
    // One that is stopped ends when it is let go, unless jobs wait for it to be started.
    ...(cluster.state === "stopped" && !others ? { then: SOON } : then && { then }),
  };
  const due = { ready: { dueAt: now + LEAST_GRACE }, stopped: { dueAt: now } };
  const patch = { ...asTold(cluster, idle), ...(due as Partial<Record<Cluster.State, object>>)[cluster.state] };
  return amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write;
}

const SOON = { after: 1, action: "terminate" } as const;

/** From the queue a job goes to the hosts, which were looked at before: the slots are checked, unless they are written. */
function asSeen(slots: Stored<Slots.Slots> | undefined, place: readonly Write[]): Write[] {
  if (slots === undefined) return [];
  const check = Slots.noun.key(slots);
  const isWritten = place.some(write => "put" in write && write.put.sk === check.sk);
  return isWritten ? [] : [{ check, expect: slots.version }];
}

async function hasOthers(
  world: Basics,
  job: Pick<Job.Job, "workspace" | "clusterId" | "id">,
  slots: Slots.Slots | undefined,
): Promise<boolean> {
  if (slots && Slots.busy(slots).some(other => other.jobId !== job.id)) return true;
  if (await isAwaited(world.table, job, job.id)) return true;
  const { pk } = Keys.cluster(job.workspace, job.clusterId);
  // Those that wait, perhaps for this one. From there they go to the queue, which is looked at last: none is missed.
  const waiting = await world.table.query({ pk, prefix: Keys.WAITING, limit: 2 });
  if (waiting.items.some(item => item.data.jobId !== job.id)) return true;
  const queue = await world.table.query({ pk, prefix: "Q#", limit: 2 });
  return queue.items.some(item => item.data.jobId !== job.id);
}
