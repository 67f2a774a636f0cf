/**
 * recovering: a job whose try ended badly, and that is tried again.
 *
 * Lifecycle: its hosts are given back with the move to recovering, its place in the queue, by its priority and age, is given
 * back to it when the pause is over. Until then an item beside the queue tells whoever looks at the cluster that it is needed.
 */
import * as z from "zod";
import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import { SUSPECT_AFTER } from "../host/patience.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Move, type Stored } from "../record.ts";
import { ended } from "./cost.ts";
import * as Job from "./job.ts";
import { enqueue } from "./queue.ts";
import { lookAt } from "./queue-time.ts";
import { causeOf, isPortTaken, retryAt } from "./retry.ts";

/** How soon a cluster of which hosts were lost is looked at, in ms: when those that are gone have been silent for long. */
const LOOK_SOON = SUSPECT_AFTER + 30_000;

type Recovering = Stored<Extract<Job.Job, { state: "recovering" }>>;

/** The item of a job that will be tried again. */
export const Waiting = z.object({ jobId: z.string() });

/**
 * The move of a placed job to another try, and all writes that go with it; undefined when this is its end: somebody cancels
 * it, its retries do not cover what happened, or are used up, or its cluster is leaving and is not made anew.
 */
export async function recovery(
  world: Basics,
  job: Stored<Job.Placed>,
  verdict: Job.Verdict | undefined,
): Promise<{ move: Move<Job.Job>; writes: readonly Write[] } | undefined> {
  const now = world.clock.now();
  const at = verdict === undefined || job.state === "cancelling" ? undefined : retryAt(job, verdict, now);
  if (verdict?.failure === undefined || at === undefined) return undefined;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster === undefined || Cluster.isLeaving(cluster)) return undefined;
  const { failure } = verdict;
  const actor = Actor.system(job.workspace);
  // Times of this try say nothing about the next.
  const patch = {
    failure,
    dueAt: at,
    startedAt: undefined,
    cost: ended(job, now),
    ...(isPortTaken(verdict) && counted(job)),
  };
  const move: Move<Job.Job> = advance<Job.Job, Job.State, "recover">(world, Job.kind, actor, job, "recover", patch, {
    message: failure.message,
    details: triedOf(job, verdict),
  });
  const waiting: Write = {
    put: { ...keyOf(job), type: "recovering", data: Waiting.parse({ jobId: job.id }) },
    expect: "absent",
  };
  const looked = isHostLost(verdict) ? lookSoon(cluster, now) : [];
  return { move, writes: [...move.writes, waiting, ...(await release(world, job, now)), ...looked] };
}

const counted = ({ portsTaken = 0 }: Job.Job) => ({ portsTaken: portsTaken + 1 });

const isHostLost = ({ failure }: Job.Verdict): boolean => {
  const cause = failure && causeOf(failure);
  return cause === "host_lost" || cause === "interruption";
};

/** What the history tells of a try that has ended. */
const triedOf = (job: Job.Placed, { failure, exitCode }: Job.Verdict) => ({
  attempt: job.attempts,
  fence: job.fence,
  cause: failure?.code,
  ...(exitCode !== undefined && { exitCode }),
});

/** A cluster that lost hosts is looked at in time: the job may have to wait for its end. */
function lookSoon(cluster: Stored<Cluster.Cluster>, now: number): Write[] {
  const dueAt = cluster.managedBy === undefined ? now + LOOK_SOON : now;
  if (cluster.state !== "ready" || cluster.dueAt <= dueAt) return [];
  return [amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write];
}

/** Gives back the hosts that the job holds. */
export async function release(
  world: Pick<Basics, "table">,
  job: Pick<Job.Job, "id" | "workspace" | "clusterId">,
  now: number,
): Promise<Write[]> {
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  return slots && Slots.holds(slots, job.id) ? [Slots.release(slots, job.id, now).write] : [];
}

const keyOf = (job: Pick<Job.Job, "id" | "workspace" | "clusterId">) =>
  Keys.recovering(job.workspace, job.clusterId, job.id);

/** Takes the item away that says that the job will be tried again. */
export async function unwait(table: Table, job: Job.Job): Promise<Write[]> {
  const item = await table.get(keyOf(job));
  return item ? [{ remove: keyOf(job), expect: item.version }] : [];
}

/** Whether jobs of the cluster will be tried again, other than this one. */
export async function isAwaited(table: Table, ref: ClusterRef, except?: string): Promise<boolean> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  const { items } = await table.query({ pk, prefix: Keys.RECOVERING, limit: 2 });
  return items.some(item => item.data.jobId !== except);
}

/** Gives a job its place in the queue back, when its pause is over. @returns whether it has it. */
export const requeue = (world: Basics, ref: { readonly workspace: string; readonly jobId: string }): Promise<boolean> =>
  retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(ref.workspace, ref.jobId));
    const now = world.clock.now();
    if (job?.state !== "recovering" || job.dueAt > now) return false;
    const actor = Actor.system(job.workspace);
    const move = advance(world, Job.kind, actor, job as Recovering, "requeue", { dueAt: lookAt(job, now) });
    await world.table.write([...move.writes, enqueue(move.next), ...(await unwait(world.table, job))]);
    return true;
  });
