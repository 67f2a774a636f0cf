/** The end of a job: the record, its hosts, and its cluster when the job was to take it along, in one transaction. */

import { removal } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import { LEAST_GRACE } from "../cluster/idle.ts";
import * as Slots from "../cluster/slots.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Move, type Patch, type Stored, type Why } from "../record.ts";
import * as Job from "./job.ts";
import { queueKey } from "./submit.ts";

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
  const move = advance(world, Job.kind, actor, job, event, { logsComplete: true, ...patch, endedAt: now }, why);
  const place = job.state === "queued" ? await unqueue(world, job) : await release(world, job, now);
  const cluster = job.down ? await takeAlong(world, actor, job) : [];
  return { move, writes: [...move.writes, ...place, ...cluster] };
}

async function unqueue(world: Basics, job: Job.Job): Promise<Write[]> {
  const item = await world.table.get(queueKey(job));
  return item ? [{ remove: queueKey(job), expect: item.version }] : [];
}

async function release(world: Basics, job: Job.Job, now: number): Promise<Write[]> {
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  const holds = slots?.hosts.some(slot => slot.job?.jobId === job.id);
  return slots && holds ? [Slots.release(slots, job.id, now).write] : [];
}

/** The job was to take its cluster along. While other jobs hold or await its hosts, the cluster goes when they are done. */
async function takeAlong(world: Basics, actor: { readonly id: string }, job: Job.Job): Promise<readonly Write[]> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster === undefined || Cluster.isLeaving(cluster)) return [];
  if (!(await hasOthers(world, job)))
    return removal(world, actor, cluster, { message: `job ${job.id} ended` })?.writes ?? [];
  const idle = { after: 0, action: "terminate" as const };
  const dueAt = cluster.state === "ready" ? { dueAt: world.clock.now() + LEAST_GRACE } : {};
  return [amend<Cluster.Cluster>(Cluster.noun, cluster, { idle, ...dueAt }).write];
}

async function hasOthers(world: Basics, job: Job.Job): Promise<boolean> {
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  if (slots && Slots.busy(slots).some(other => other.jobId !== job.id)) return true;
  const { pk } = Keys.cluster(job.workspace, job.clusterId);
  const queue = await world.table.query({ pk, prefix: "Q#", limit: 2 });
  return queue.items.some(item => item.data.jobId !== job.id);
}
