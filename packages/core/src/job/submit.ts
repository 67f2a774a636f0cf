/** Submitting a job to a cluster: the record, its task, and its place in the queue, in one transaction. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { find, requireManage, requireUse } from "../cluster/find.ts";
import { type Grouped, jobNodes } from "../cluster/group.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Item, Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { insert } from "../record.ts";
import * as Secrets from "../secret/keep.ts";
import * as Kept from "../secret/kept.ts";
import { requireStored } from "../secret/stored.ts";
import { Task } from "../task/task.ts";
import { park, type Waits, waitsOf } from "./after.ts";
import * as Job from "./job.ts";
import { enqueue } from "./queue.ts";

export { enqueue, Queued, queueKey } from "./queue.ts";

/** How long a queued job may go unseen by anybody, in ms: a backstop behind the doorbell, polls and the cluster's deadline. */
export const QUEUE_CHECK = 3_600_000;

/**
 * @throws MusterError `not_found` (the cluster, or a secret of the workspace that the task names), `forbidden`, `conflict`
 * (the cluster takes no jobs), `invalid_request`.
 */
export function submit(
  world: Basics & Secrets.Part,
  actor: Actor,
  reference: string,
  request: Job.Submit,
): Promise<Job.Info> {
  const id = Id.create(world.random, "job");
  const ref = { workspace: actor.workspace, owner: id };
  return Secrets.keeping(world, ref, Kept.valuesOf(request.task), keep =>
    retrying(async () => {
      const cluster = await find(world, actor, reference);
      requireUse(actor, cluster);
      if (request.down) requireManage(actor, cluster);
      Cluster.requireOpen(cluster);
      const waits = await waitsOf(world.table, actor, request);
      const { job, writes } = blueprint(world, actor, cluster, request, id, waits);
      await requireStored(world, actor, request.task);
      await keep();
      await commit(world, actor, writes, Job.info(job));
      return Job.info(job);
    }),
  );
}

/**
 * A new job and the writes that bring it into being. The first event carries the task, so that it costs no item of its own;
 * what the task has of secrets is kept apart, by the caller and before this is written.
 */
export function blueprint(
  world: Pick<Basics, "clock">,
  actor: Actor,
  cluster: Pick<Cluster.Cluster, "id" | "name" | "provider"> & Grouped,
  request: Job.Submit,
  id: string,
  waits?: Waits,
): { job: Job.Job; writes: readonly Write[] } {
  requireRunnable(cluster, request.task);
  Kept.requireRoom(request.task);
  const now = world.clock.now();
  const name = request.name ?? request.task.name;
  const job: Job.Job = {
    id,
    workspace: actor.workspace,
    clusterId: cluster.id,
    clusterName: cluster.name,
    provider: cluster.provider,
    ...(name !== undefined && { name }),
    owner: actor.id,
    priority: request.priority,
    nodes: request.task.nodes,
    ...(request.task.timeout !== undefined && { timeout: request.task.timeout }),
    down: request.down,
    ...(Object.keys(Kept.valuesOf(request.task)).length > 0 && { hasSecrets: true }),
    ...(request.task.labels && { labels: request.task.labels }),
    attempts: 0,
    createdAt: now,
    changedAt: now,
    ...(waits ? waiting(waits, actor, request.task, now) : ({ state: "queued", dueAt: now + QUEUE_CHECK } as const)),
  };
  const place = waits ? [park(job), ...waits.writes(id)] : [enqueue(job)];
  return {
    job,
    writes: [insert(Job.noun, job), { put: submission(job, actor, request.task), expect: "absent" }, ...place],
  };
}

/** How long it may stand in the queue counts from when it stands there. */
const waiting = ({ after, held, isVain }: Waits, actor: Actor, { queueTimeout }: Task, now: number) => ({
  state: "waiting" as const,
  ...(after.length > 0 && { after: [...after] }),
  ...(held && { held, heldBy: actor.id }),
  ...(queueTimeout !== undefined && { queueTimeout }),
  dueAt: isVain ? now : now + QUEUE_CHECK,
});

/** The task as it was submitted, without its secrets and secret files. */
export async function taskOf(table: Table, job: Job.Job): Promise<Task> {
  const item = await table.get(submissionKey(job.workspace, job.id));
  return Submission.parse(item?.data).task;
}

const Submission = z.object({ task: Task });

const submissionKey = (workspace: string, jobId: string) => {
  const { pk, sk } = Keys.job(workspace, jobId);
  return { pk, sk: `${Event.PREFIX}${sk}#evt_${jobId.slice("job_".length)}` };
};

function submission(job: Job.Job, actor: Actor, task: Task): Omit<Item, "version"> {
  const event: Event.Event = {
    id: `evt_${job.id.slice("job_".length)}`,
    at: job.createdAt,
    subject: job.id,
    kind: `job.${job.state}`,
    clusterId: job.clusterId,
    actor: actor.id,
  };
  return {
    ...submissionKey(job.workspace, job.id),
    type: "event",
    data: { ...event, task: { ...task, secrets: {}, secretFiles: {} } },
  };
}

function requireRunnable(cluster: Pick<Cluster.Cluster, "name"> & Grouped, task: Task): void {
  if (task.run === undefined && task.setup === undefined)
    throw new MusterError("invalid_request", "the task has nothing to run", {
      issues: [{ path: "task.run", message: "give a script in run (or setup)" }],
    });
  const most = jobNodes(cluster);
  if (task.nodes > most)
    throw new MusterError(
      "invalid_request",
      `the job wants ${task.nodes} hosts; cluster '${cluster.name}' has ${most}${most < cluster.nodes ? " for jobs" : ""}`,
      {
        issues: [{ path: "task.nodes", message: `at most ${most} on this cluster` }],
        hint: `let it grow first: muster up -c ${cluster.name} --num_nodes ${task.nodes}; or launch it on a cluster of its own: muster launch FILE`,
      },
    );
}
