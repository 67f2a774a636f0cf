/** Launching: a cluster made or reused, and a job on it, in one transaction. */
import type { Actor } from "../actor/actor.ts";
import { starting } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Create from "../cluster/create.ts";
import { requireManage } from "../cluster/find.ts";
import { requireFit } from "../cluster/fit.ts";
import * as Group from "../cluster/group.ts";
import { grown, growth } from "../cluster/grow.ts";
import { policy } from "../cluster/policy.ts";
import * as Words from "../cluster/words.ts";
import { commit, retrying } from "../commit.ts";
import * as Id from "../id.ts";
import { imaged } from "../image/resolve.ts";
import { type Waits, waitsOf } from "../job/after.ts";
import { requireNodes, requirePossible } from "../job/impossible.ts";
import { needsOf } from "../job/needs.ts";
import { makeWay } from "../job/replace.ts";
import * as Submit from "../job/submit.ts";
import { isReady } from "../pool/member.ts";
import * as Pool from "../pool/take.ts";
import { type Taken, take } from "../pool/take.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { maybeSpot } from "../provider/choices.ts";
import * as Choose from "../provider/choose.ts";
import type { Stored } from "../record.ts";
import * as Secrets from "../secret/keep.ts";
import * as Kept from "../secret/kept.ts";
import { requireStored } from "../secret/stored.ts";
import { behind } from "./behind.ts";
import type * as Launch from "./launch.ts";
import { existingOf } from "./managed.ts";
import * as Plan from "./plan.ts";
import { hasWork, jobOf, onTarget, wanted } from "./request.ts";

/** What is written in the same transaction as a launch, and only then. It may throw: then nothing is launched. */
export type Also = (launched: Launch.Info) => Promise<readonly Write[]>;

/**
 * @param pool that the cluster is made for, when it is one of a pool's
 * @throws MusterError `name_taken`, `no_offer`, `unsupported`, `conflict`, `invalid_request`, `not_found` (a target, a pool, a
 * secret of the workspace, or a job that it is to wait for), `cluster_busy`: nothing was launched.
 */
export function create(
  world: Edge,
  actor: Actor,
  request: Launch.Create,
  also?: Also,
  pool?: string,
): Promise<Launch.Info> {
  const jobId = Id.create(world.random, "job");
  const ref = { workspace: actor.workspace, owner: jobId };
  return Secrets.keeping(world, ref, Kept.valuesOf(request.task), keep =>
    retrying(() => createOnce(world, actor, request, { jobId, keep, also, pool })),
  );
}

interface Making {
  readonly jobId: string;
  readonly keep: () => Promise<void>;
  readonly also: Also | undefined;
  readonly pool: string | undefined;
}

async function createOnce(world: Edge, actor: Actor, asked: Launch.Create, making: Making): Promise<Launch.Info> {
  const { jobId, keep, also } = making;
  const { request } = await onTarget(world, actor, asked);
  const existing = await existingOf(world, actor, request);
  const { cluster, writes, from, ...before } = existing
    ? await reuse(world, actor, request, existing)
    : await found(world, actor, request, making);
  const isNew = existing === undefined;
  const waits = await waiting(world, actor, request, before, isNew);
  const job = hasWork(request) ? Submit.blueprint(world, actor, cluster, jobOf(request), jobId, waits) : undefined;
  const answer: Launch.Info = {
    cluster: Cluster.info(cluster),
    ...(job && { job: job.info }),
    reused: existing !== undefined,
    ...(from && { pool: from }),
  };
  if (job) {
    await requireStored(world, actor, request.task);
    if (existing ?? from) await requirePossible(world.table, cluster, job.info);
    await keep();
  }
  const more = (await also?.(answer)) ?? [];
  const way = job && existing ? await makeWay(world, actor, existing, request) : [];
  await commit(world, actor, [...writes, ...(job?.writes ?? []), ...more, ...way], answer);
  return answer;
}

/** A cluster that was not this launch's before. */
function found(
  world: Edge,
  actor: Actor,
  request: Launch.Create,
  { jobId, pool }: Making,
): Promise<Partial<Taken> & Made> {
  if (request.pool !== undefined) return take(world, actor, { ...request, pool: request.pool }, jobId);
  return Create.blueprint(world, actor, wanted(request), { pool, ...(request.managed && { managedBy: jobId }) });
}

interface Made {
  readonly cluster: Cluster.Cluster;
  readonly writes: readonly Write[];
}

/** What prepares the cluster comes before the job. */
async function waiting(
  { table }: Edge,
  actor: Actor,
  request: Launch.Create,
  { after, first }: Partial<Taken>,
  isNew: boolean,
): Promise<Waits | undefined> {
  const asked = after === undefined ? request : { ...request, after: [...(request.after ?? []), after] };
  const waits = await waitsOf(table, actor, asked, isNew);
  return first === undefined ? waits : behind(actor.workspace, waits, first);
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
  if (hasWork(request)) await waitsOf(world.table, actor, request, existing === undefined);
  if (existing) {
    if (hasWork(request)) {
      requireFit(actor, existing, wanted(request));
      const { nodes, resources } = request.task;
      requireNodes(existing, nodes, request.group);
      await requirePossible(world.table, existing, { nodes, needs: needsOf(resources), group: request.group });
    }
    const more = hasWork(request) ? undefined : await growth(world, actor, existing, wanted(request));
    return Plan.reused(existing, await Words.policyOf(world.table, existing), more);
  }
  if (request.pool !== undefined) return pooled(world, actor, { ...request, pool: request.pool });
  const chosen = await Choose.forRequest(world.providers, await imaged(world, actor, wanted(request)));
  requireGroup(request, chosen);
  const spot = chosen.groups.some(maybeSpot);
  return Plan.made(request.cluster, chosen, policy(chosen.provider, { ...wanted(request), spot }));
}

/** @throws MusterError `invalid_request` for a group of hosts that the new cluster would not have. */
function requireGroup({ cluster: name = "", task, group }: Launch.Create, { groups }: Choose.Chosen): void {
  if (group === undefined) return;
  requireNodes({ name, nodes: Group.nodesOf(groups), groups: groups.map(Group.toGroup) }, task.nodes, group);
}

/** The cluster that a pool would give, or that would be made in its stead. */
async function pooled(world: Edge, actor: Actor, request: Launch.Create & { pool: string }): Promise<Launch.Plan> {
  const { pool, candidate, wanted: made } = await Pool.find(world, actor, request, "");
  const { cluster } = candidate ?? (await Create.blueprint(world, actor, made));
  Pool.requireTask(actor, pool, cluster, wanted(request));
  requireNodes(cluster, request.task.nodes, request.group);
  if (candidate !== undefined) {
    const ready = isReady(candidate.member, pool);
    const idle = Pool.idleOf(world, candidate.cluster, request);
    return Plan.taken(candidate.cluster, { name: request.cluster, idle, pool: { name: pool.name, ready } });
  }
  const chosen = await Choose.forRequest(world.providers, await imaged(world, actor, made));
  const idle = policy(chosen.provider, { ...made, spot: chosen.groups.some(maybeSpot) });
  return { ...Plan.made(request.cluster, chosen, idle), pool: { name: pool.name, ready: false } };
}

/** A stopped cluster is started by a launch: whoever says its name wants it. One that brings no job lets it grow. */
async function reuse(
  world: Edge,
  actor: Actor,
  request: Launch.Create,
  cluster: Stored<Cluster.Cluster>,
): Promise<Made & Partial<Taken>> {
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
