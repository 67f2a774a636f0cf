/** The end of a job: the record, its hosts, and its cluster when the job was to take it along, in one transaction. */

import { removal } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, load, type Move, type Patch, type Stored, type Why } from "../record.ts";
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
  return { move, writes: [...move.writes, ...place, ...(job.down ? await takeAlong(world, actor, job) : [])] };
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

async function takeAlong(world: Basics, actor: { readonly id: string }, job: Job.Job): Promise<readonly Write[]> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  return (cluster && removal(world, actor, cluster, { message: `job ${job.id} ended` })?.writes) ?? [];
}
