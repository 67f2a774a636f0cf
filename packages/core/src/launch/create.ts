/** Launching: a cluster made or reused, and a job on it, in one transaction. */
import type { Actor } from "../actor/actor.ts";
import { starting } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Create from "../cluster/create.ts";
import { requireManage } from "../cluster/find.ts";
import { requireFit } from "../cluster/fit.ts";
import { grown, growth } from "../cluster/grow.ts";
import { policy } from "../cluster/policy.ts";
import { commit, retrying } from "../commit.ts";
import * as Id from "../id.ts";
import { waitsOf } from "../job/after.ts";
import { requirePossible } from "../job/impossible.ts";
import type * as Job from "../job/job.ts";
import { needsOf } from "../job/needs.ts";
import { makeWay } from "../job/replace.ts";
import * as Submit from "../job/submit.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { maybeSpot } from "../provider/choices.ts";
import * as Choose from "../provider/choose.ts";
import type { Stored } from "../record.ts";
import * as Secrets from "../secret/keep.ts";
import * as Kept from "../secret/kept.ts";
import { requireStored } from "../secret/stored.ts";
import { type Resolved, resolve } from "../target/resolve.ts";
import { contained } from "../task/container.ts";
import type * as Launch from "./launch.ts";
import { existingOf, implied } from "./managed.ts";
import * as Plan from "./plan.ts";

/** What is written in the same transaction as a launch, and only then. It may throw: then nothing is launched. */
export type Also = (launched: Launch.Info) => Promise<readonly Write[]>;

/**
 * @throws MusterError `name_taken`, `no_offer`, `unsupported`, `conflict`, `invalid_request`, `not_found` (a target, a
 * secret of the workspace, or a job that it is to wait for), `cluster_busy`: nothing was launched.
 */
export function create(world: Edge, actor: Actor, request: Launch.Create, also?: Also): Promise<Launch.Info> {
  const jobId = Id.create(world.random, "job");
  const ref = { workspace: actor.workspace, owner: jobId };
  return Secrets.keeping(world, ref, Kept.valuesOf(request.task), keep =>
    retrying(() => createOnce(world, actor, request, { jobId, keep, also })),
  );
}

interface Making {
  readonly jobId: string;
  readonly keep: () => Promise<void>;
  readonly also: Also | undefined;
}

async function createOnce(
  world: Edge,
  actor: Actor,
  asked: Launch.Create,
  { jobId, keep, also }: Making,
): Promise<Launch.Info> {
  const { request } = await onTarget(world, actor, asked);
  const existing = await existingOf(world, actor, request);
  const { cluster, writes } = existing
    ? await reuse(world, actor, request, existing)
    : await Create.blueprint(world, actor, wanted(request), request.managed ? jobId : undefined);
  const waits = await waitsOf(world.table, actor, request);
  const job = hasWork(request) ? Submit.blueprint(world, actor, cluster, jobOf(request), jobId, waits) : undefined;
  const answer: Launch.Info = {
    cluster: Cluster.info(cluster),
    ...(job && { job: job.info }),
    reused: existing !== undefined,
  };
  if (job) {
    await requireStored(world, actor, request.task);
    if (existing) await requirePossible(world.table, existing, job.info);
    await keep();
  }
  const more = (await also?.(answer)) ?? [];
  const way = job && existing ? await makeWay(world, actor, existing, request) : [];
  await commit(world, actor, [...writes, ...(job?.writes ?? []), ...more, ...way], answer);
  return answer;
}

/** What a launch would do; changes nothing. @throws what `create` would. */
export async function plan(world: Edge, actor: Actor, asked: Launch.Create): Promise<Launch.Plan> {
  const { request, notices } = await onTarget(world, actor, asked);
  if (hasWork(request)) {
    Kept.requireRoom(request.task);
    await requireStored(world, actor, request.task);
  }
  const made = await planned(world, actor, request);
  return { ...made, notices: [...notices, ...made.notices] };
}

async function planned(world: Edge, actor: Actor, request: Launch.Create): Promise<Launch.Plan> {
  const existing = await existingOf(world, actor, request);
  if (existing) {
    if (hasWork(request)) {
      requireFit(actor, existing, wanted(request));
      const { nodes, resources } = request.task;
      await requirePossible(world.table, existing, { nodes, needs: needsOf(resources) });
    }
    const more = hasWork(request) ? undefined : await growth(world, actor, existing, wanted(request));
    return Plan.reused(existing, more);
  }
  const chosen = await Choose.forRequest(world.providers, wanted(request));
  const spot = chosen.groups.some(maybeSpot);
  return Plan.made(request.cluster, chosen, policy(chosen.provider, { ...wanted(request), spot }));
}

/** The request with its targets looked up: what they say is then said by the request itself. */
async function onTarget(
  world: Edge,
  actor: Actor,
  { target, ...asked }: Launch.Create,
): Promise<Resolved<Launch.Create>> {
  const { request, notices } = await resolve(world, actor, { ...wanted(asked), target });
  const { nodes, resources, groups, idle } = request;
  const task = contained({
    ...asked.task,
    ...(nodes !== undefined && { nodes }),
    ...(resources !== undefined && { resources }),
  });
  return {
    request: implied({ ...asked, task, ...(groups !== undefined && { groups }), ...(idle !== undefined && { idle }) }),
    notices,
  };
}

const hasWork = (request: Launch.Create): boolean => request.task.run !== undefined || request.task.setup !== undefined;

const wanted = (request: Launch.Create): Cluster.Create => ({
  ...(request.cluster !== undefined && { name: request.cluster }),
  ...(request.groups === undefined
    ? { nodes: request.task.nodes, resources: request.task.resources }
    : { groups: request.groups }),
  ...(request.idle !== undefined && { idle: request.idle }),
  ...(request.maxLifetime !== undefined && { maxLifetime: request.maxLifetime }),
  ...(request.maxConcurrentJobs !== undefined && { maxConcurrentJobs: request.maxConcurrentJobs }),
  shared: request.shared,
});

const jobOf = (request: Launch.Create): Job.Submit => ({
  task: request.task,
  name: undefined,
  priority: request.priority,
  down: request.down,
});

/** A stopped cluster is started by a launch: whoever says its name wants it. One that brings no job lets it grow. */
async function reuse(
  world: Edge,
  actor: Actor,
  request: Launch.Create,
  cluster: Stored<Cluster.Cluster>,
): Promise<{ cluster: Cluster.Cluster; writes: readonly Write[] }> {
  if (!hasWork(request) && cluster.state === "ready") {
    const { next, writes } = await grown(world, actor, cluster, wanted(request));
    return { cluster: next, writes };
  }
  requireFit(actor, cluster, wanted(request));
  if (request.down) requireManage(actor, cluster);
  if (cluster.state === "stopped") {
    const move = await starting(world, actor, cluster);
    return { cluster: move.next, writes: move.writes };
  }
  Cluster.requireOpen(cluster);
  return { cluster, writes: [] };
}
