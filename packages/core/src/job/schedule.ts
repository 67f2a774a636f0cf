/** Scheduling: places a cluster's queued jobs on its free slots, one transaction each. Anything may call it at any time. */

import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { jobNodes, takesJobs } from "../cluster/group.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Item, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Stored } from "../record.ts";
import { ending } from "./end.ts";
import * as Job from "./job.ts";
import { placeHead } from "./place.ts";
import { Queued, queueKey } from "./submit.ts";

/** How soon a job that got its hosts must be heard of, in ms. */
export const START_CHECK = 120_000;

/** @returns the ids of the jobs that it placed, or ended since they can never be. */
export async function schedule(world: Basics, ref: ClusterRef): Promise<string[]> {
  const placed: string[] = [];
  for (;;) {
    const jobId = await retrying(() => placeOne(world, ref));
    if (jobId === undefined) return placed;
    placed.push(jobId);
  }
}

/** One placement, or the removal of a queue entry whose job waits no more. */
async function placeOne(world: Basics, ref: ClusterRef): Promise<string | undefined> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  const [head] = (await world.table.query({ pk, prefix: "Q#", limit: 1 })).items;
  if (head === undefined) return undefined;
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  if (slots === undefined) return undefined;
  const queued = Queued.parse(head.data);
  const placement = placeHead([queued], slots.hosts);
  if (placement === undefined)
    return queued.nodes > slots.hosts.filter(takesJobs).length ? refuse(world, ref, head, queued) : undefined;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));
  if (cluster === undefined || !Cluster.takesJobs(cluster)) return undefined;
  const job = await load(world.table, Job.noun, Keys.job(ref.workspace, placement.jobId));
  if (job?.state !== "queued") {
    await world.table.write([{ remove: head, expect: head.version }]);
    return placement.jobId;
  }
  // The cluster is checked, not only read: a placement that lands late finds hosts that are no longer there.
  const ready: Write = { check: Cluster.noun.key(cluster), expect: cluster.version };
  await world.table.write([...writes(world, job, head, slots, placement.ranks), ready]);
  return job.id;
}

/**
 * A job that was accepted while its cluster was to grow, and wants more hosts than there are: it would wait for ever, and have
 * the cluster started again and again.
 */
async function refuse(
  world: Basics,
  ref: ClusterRef,
  head: Item,
  { jobId, nodes }: Queued,
): Promise<string | undefined> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));
  if (cluster?.state !== "ready" || nodes <= jobNodes(cluster)) return undefined;
  const job = await load(world.table, Job.noun, Keys.job(ref.workspace, jobId));
  if (job?.state !== "queued") {
    await world.table.write([{ remove: head, expect: head.version }]);
    return jobId;
  }
  const message = `it wants ${nodes} hosts, and cluster '${cluster.name}' has ${jobNodes(cluster)} for jobs`;
  const hint = `let the cluster grow: muster up -c ${cluster.name} --num_nodes ${nodes}; then submit it again`;
  const failure = { code: cluster.setback?.code ?? "no_capacity", message, hint };
  // It takes no cluster along that has only not grown.
  const alone = { ...job, down: false };
  const end = await ending(world, Actor.system(job.workspace), alone, "fail", { failure }, { message });
  await world.table.write([...end.writes, { check: Cluster.noun.key(cluster), expect: cluster.version }]);
  return jobId;
}

function writes(
  world: Basics,
  job: Stored<Job.Job>,
  head: Item,
  slots: Stored<Slots.Slots>,
  ranks: readonly number[],
): Write[] {
  const fence = slots.fence + 1;
  const taken = new Set(ranks);
  const hosts = slots.hosts.map(slot => (taken.has(slot.rank) ? { ...slot, job: { jobId: job.id, fence } } : slot));
  const now = world.clock.now();
  const move = advance(world, Job.kind, Actor.system(job.workspace), job, "place", {
    fence,
    placement: [...ranks],
    attempts: job.attempts + 1,
    dueAt: now + START_CHECK,
  });
  const unqueue: Write = { remove: queueKey(job), expect: head.version };
  return [...move.writes, unqueue, amend(Slots.noun, slots, { fence, hosts, idleSince: now }).write];
}
