/** Submitting a job to a cluster: the record, its task, and its place in the queue, in one transaction. */
import type { Actor } from "../actor/actor.ts";
import * as Arrays from "../array/submit.ts";
import * as Cluster from "../cluster/cluster.ts";
import { find, requireManage, requireUse } from "../cluster/find.ts";
import type { Grouped } from "../cluster/group.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { insert } from "../record.ts";
import * as Secrets from "../secret/keep.ts";
import * as Kept from "../secret/kept.ts";
import { requireStored } from "../secret/stored.ts";
import type { Task } from "../task/task.ts";
import { park, type Waits, waitsOf } from "./after.ts";
import { requireNodes, requirePossible } from "./impossible.ts";
import * as Job from "./job.ts";
import { needsOf } from "./needs.ts";
import { enqueue } from "./queue.ts";
import { lookAt, QUEUE_CHECK, startByOf } from "./queue-time.ts";
import { makeWay } from "./replace.ts";
import { retryOf } from "./retry.ts";
import { submission } from "./submission.ts";

export { enqueue, Queued, queueKey } from "./queue.ts";
export { QUEUE_CHECK } from "./queue-time.ts";
export { taskOf } from "./submission.ts";

/**
 * @throws MusterError `not_found` (the cluster, or a secret of the workspace that the task names), `forbidden`, `conflict`
 * (the cluster takes no jobs), `invalid_request`; `cluster_busy` when that is not wanted.
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
      const { info, writes } = blueprint(world, actor, cluster, request, id, waits);
      await requireStored(world, actor, request.task);
      await requirePossible(world.table, cluster, info);
      await keep();
      const way = await makeWay(world, actor, cluster, request);
      await commit(world, actor, [...writes, ...way], info);
      return info;
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
  cluster: Pick<Cluster.Cluster, "id" | "name" | "provider" | "managedBy"> & Grouped,
  request: Job.Submit,
  id: string,
  waits?: Waits,
  jobGroup?: Job.Job["jobGroup"],
): { info: Job.Info; writes: readonly Write[] } {
  requireRunnable(cluster, request);
  Kept.requireRoom(request.task);
  const now = world.clock.now();
  const name = request.name ?? request.task.name;
  const needs = needsOf(request.task.resources);
  const many = Arrays.manyOf(request.task);
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
    ...(needs && { needs }),
    ...among(request, jobGroup),
    ...(many && { many }),
    ...(request.task.timeout !== undefined && { timeout: request.task.timeout }),
    down: request.down,
    ...(Object.keys(Kept.valuesOf(request.task)).length > 0 && { hasSecrets: true }),
    ...(request.task.labels && { labels: request.task.labels }),
    ...retryOf(request.task, cluster.managedBy === id),
    attempts: 0,
    createdAt: now,
    changedAt: now,
    ...(waits ? waiting(waits, actor, request.task, now) : queuedFrom(request.task, now)),
  };
  if (many && job.state === "queued") return Arrays.blueprint(actor, job, request.task, many);
  const place = waits ? [park(job), ...waits.writes(id)] : [enqueue(job)];
  return {
    info: Job.info(job),
    writes: [insert(Job.noun, job), submission(job, "job", Job.noun.key(job), actor, request.task), ...place],
  };
}

const among = ({ group }: Job.Submit, jobGroup: Job.Job["jobGroup"]) => ({
  ...(group !== undefined && { group }),
  ...(jobGroup && { jobGroup }),
});

function queuedFrom({ queueTimeout }: Task, now: number) {
  const startBy = startByOf(queueTimeout, now);
  return { state: "queued" as const, ...startBy, dueAt: lookAt({ ...startBy, attempts: 0 }, now) };
}

/** How long it may stand in the queue counts from when it stands there. */
const waiting = ({ after, held, isVain }: Waits, actor: Actor, { queueTimeout }: Task, now: number) => ({
  state: "waiting" as const,
  ...(after.length > 0 && { after: [...after] }),
  ...(held && { held, heldBy: actor.id }),
  ...(queueTimeout !== undefined && { queueTimeout }),
  dueAt: isVain ? now : now + QUEUE_CHECK,
});

function requireRunnable(cluster: Pick<Cluster.Cluster, "name"> & Grouped, { task, group }: Job.Submit): void {
  if (task.run === undefined && task.setup === undefined)
    throw new MusterError("invalid_request", "the task has nothing to run", {
      issues: [{ path: "task.run", message: "give a script in run (or setup)" }],
    });
  requireNodes(cluster, task.nodes, group);
}
