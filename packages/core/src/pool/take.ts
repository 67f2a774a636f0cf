/**
 * Taking a cluster from a pool: all in the transaction that makes the job, so that of two launches only one gets it, and that
 * it is in the pool or somebody's, and never neither. Where nobody is ready, an ordinary cluster of the pool's kind is made.
 */
import type { Actor } from "../actor/actor.ts";
import { starting } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Create from "../cluster/create.ts";
import { requireFit } from "../cluster/fit.ts";
import type * as Group from "../cluster/group.ts";
import type { Idle } from "../cluster/idle.ts";
import { policy } from "../cluster/policy.ts";
import { afford } from "../cluster/reconcile/afford.ts";
import * as Words from "../cluster/words.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import type { After } from "../job/job.ts";
import { isMet, outcomeOf } from "../job/outcome.ts";
import * as Submit from "../job/submit.ts";
import * as Keys from "../keys.ts";
import type * as Launch from "../launch/launch.ts";
import { hasWork, jobOf, onTarget, wanted } from "../launch/request.ts";
import type { Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import * as Choose from "../provider/choose.ts";
import { amend, load, type Stored } from "../record.ts";
import { preparing } from "./launch.ts";
import { isReady, type Member, membersOf, noun } from "./member.ts";
import * as Pool from "./pool.ts";

const MINUTE = 60_000;

export interface Taken {
  readonly cluster: Cluster.Cluster;
  readonly writes: readonly Write[];
  /** What prepares the cluster, and has not done so yet. */
  readonly after?: After | undefined;
  /** Id of the job that prepares it, when that is made with it. */
  readonly first?: string | undefined;
  readonly from: Launch.From;
}

type Asked = Launch.Create & { readonly pool: string };

/** A member that may be taken. */
export interface Candidate {
  readonly member: Stored<Member>;
  readonly cluster: Stored<Cluster.Cluster>;
}

/** What there is for a request: the pool, and the member that it would get; or what is made, where there is none. */
export interface Found {
  readonly pool: Stored<Pool.Pool>;
  readonly candidate: Candidate | undefined;
  readonly wanted: Cluster.Create;
  /** What prepares it. */
  readonly launch: Launch.Create;
}

/** Which members go first. What is on its way to its rest can only be waited for. */
const ORDER: readonly Cluster.State[] = ["ready", "stopped", "booting", "launching", "requested", "starting"];

/**
 * @param jobId so that of several launches at once each looks at another member first
 * @throws MusterError `not_found`, `forbidden`; `conflict` for a task that the pool's clusters are not for.
 */
export async function find(world: Edge, actor: Actor, request: Asked, jobId: string): Promise<Found> {
  const pool = await Pool.get(world.table, actor.workspace, request.pool);
  Pool.requireStaying(pool);
  requireShare(actor, pool);
  const { request: made } = await onTarget(world, actor, await preparing(world, pool));
  // The pool says what the machines are, and how many jobs each takes; the launch says what becomes of them.
  const { name: _, idle: __, shared: ___, ...machines } = wanted(made);
  const { resources: ____, nodes: _____, groups: ______, maxConcurrentJobs: _______, ...own } = wanted(request);
  const all = await ranked(world, pool, jobId);
  // Members may be of several machine types. Where none will do, the first says why.
  const candidate = all.find(one => misfitOf(actor, one.cluster, wanted(request)) === undefined) ?? all[0];
  return { pool, candidate, wanted: { ...own, ...machines }, launch: made };
}

/** Whatever its setup has left there is its owner's. @throws MusterError `forbidden` */
function requireShare(actor: Actor, pool: Pool.Pool): void {
  if (pool.owner === actor.id || pool.shared) return;
  throw new MusterError("forbidden", `pool '${pool.name}' belongs to ${pool.owner}, who has not shared it`, {
    hint: "launch without it, or ask for it to be set with --share",
  });
}

/** Those that may be taken. Of some that are the same to a launch, each launch begins with another. */
async function ranked({ table }: Edge, pool: Pool.Pool, jobId: string): Promise<Candidate[]> {
  const members = (await membersOf(table, pool)).filter(member => member.revision === pool.revision);
  const found = await Promise.all(members.map(member => candidateOf(table, member)));
  const rank = ({ member, cluster }: Candidate) =>
    ORDER.indexOf(cluster.state) + (isReady(member, pool) ? 0 : ORDER.length);
  const turn = ({ member }: Candidate) => Keys.spread(`${jobId}${member.clusterId}`);
  return found.flatMap(one => one ?? []).toSorted((a, b) => rank(a) - rank(b) || turn(a) - turn(b));
}

async function candidateOf(table: Edge["table"], member: Stored<Member>): Promise<Candidate | undefined> {
  const cluster = await load(table, Cluster.noun, Keys.cluster(member.workspace, member.clusterId));
  if (cluster?.pool === undefined || !ORDER.includes(cluster.state)) return undefined;
  return member.preparedAt !== undefined || (await isHopeful(table, member, cluster)) ? { member, cluster } : undefined;
}

/** One that has stopped before it was prepared, or was not prepared well, waits for its end. */
async function isHopeful(table: Edge["table"], member: Member, cluster: Cluster.Cluster): Promise<boolean> {
  if (cluster.state === "stopped") return false;
  if (member.jobId === undefined) return true;
  const after = { job: member.jobId, on: "success" } as const;
  const outcome = await outcomeOf(table, member.workspace, after.job);
  return outcome === undefined || isMet(after, outcome) !== "never";
}

/** @throws MusterError as `find`; `name_taken`, `over_budget`, `unsupported`, `no_offer`. */
export async function take(world: Edge, actor: Actor, request: Asked, jobId: string): Promise<Taken> {
  const found = await find(world, actor, request, jobId);
  const { pool, candidate } = found;
  if (candidate === undefined) return alike(world, actor, found, request);
  requireTask(actor, pool, candidate.cluster, wanted(request));
  const { member } = candidate;
  const ready = isReady(member, pool);
  const { cluster, writes } = await freed(world, actor, candidate.cluster, request);
  const details = hasWork(request) ? { jobId } : {};
  const event = Pool.eventOf(world, actor, pool, "taken", { clusterId: cluster.id, details });
  const after: After | undefined =
    ready || member.jobId === undefined ? undefined : { job: member.jobId, on: "success" };
  return {
    cluster,
    writes: [...writes, { remove: noun.key(member), expect: member.version }, event],
    after,
    from: { name: pool.name, ready },
  };
}

/** A cluster as the pool's are, for this launch alone: prepared as they are, before anything else runs there. */
async function alike(world: Edge, actor: Actor, found: Found, request: Launch.Create): Promise<Taken> {
  const { pool, launch } = found;
  const { cluster, writes } = await Create.blueprint(world, actor, found.wanted);
  requireTask(actor, pool, cluster, wanted(request));
  const id = Id.create(world.random, "job");
  const job = hasWork(launch) ? Submit.blueprint(world, actor, cluster, jobOf(launch), id) : undefined;
  return {
    cluster,
    writes: [...writes, ...(job?.writes ?? [])],
    first: job?.info.id,
    from: { name: pool.name, ready: false },
  };
}

/** @throws MusterError `conflict` for a task that the pool's clusters are not for. */
export function requireTask(actor: Actor, { name }: Pool.Pool, cluster: Cluster.Cluster, request: Group.Request): void {
  const misfit = misfitOf(actor, cluster, request);
  if (misfit === undefined) return;
  const message = misfit.message.replace(`cluster '${cluster.name}'`, `each cluster of pool '${name}'`);
  throw new MusterError("conflict", message, {
    hint: "launch it without --pool, or from a pool of such machines (muster pool list)",
  });
}

/** Why it would not do, were it the actor's. */
function misfitOf(actor: Actor, cluster: Cluster.Cluster, request: Group.Request): MusterError | undefined {
  try {
    requireFit(actor, { ...cluster, owner: actor.id, pool: undefined }, request);
    return undefined;
  } catch (error) {
    if (error instanceof MusterError) return error;
    throw error;
  }
}

/** The cluster as its taker's, and the writes that make it that. */
async function freed(
  world: Edge,
  actor: Actor,
  cluster: Stored<Cluster.Cluster>,
  request: Launch.Create,
): Promise<{ cluster: Cluster.Cluster; writes: readonly Write[] }> {
  const { cluster: name = cluster.name, shared, maxLifetime } = request;
  const now = world.clock.now();
  const policy = await Words.changed(world.table, cluster, idleOf(world, cluster, request), now);
  const mine: Stored<Cluster.Cluster> = {
    ...cluster,
    ...{ name, shared, owner: actor.id, pool: undefined },
    ...policy.patch,
    ...(maxLifetime !== undefined && { endBy: now + maxLifetime * MINUTE }),
  };
  const renamed = await renaming(world, cluster, request.cluster);
  if (mine.state === "stopped") {
    const { next, writes } = await starting(world, actor, mine, { from: cluster.owner });
    return { cluster: next, writes: [...writes, ...renamed, ...policy.writes] };
  }
  const { writes: paid } = await afford(world, mine, { from: cluster.owner, begins: true });
  // Its deadline hangs on its policy: whoever looks at it next works it out.
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, mine, { ...(mine.state === "ready" && { dueAt: now }) });
  return { cluster: next, writes: [write, ...renamed, ...paid, ...policy.writes] };
}

/** The idle policy that it would have if it was made for this. */
export function idleOf(world: Edge, { provider, spot }: Cluster.Cluster, { cluster, idle }: Launch.Create): Idle {
  return policy(Choose.provider(world.providers, { provider }), { name: cluster, idle, spot });
}

async function renaming(
  { table }: Edge,
  cluster: Cluster.Cluster,
  name: string | undefined,
): Promise<readonly Write[]> {
  if (name === undefined) return [];
  Create.requireName(name);
  const key = Keys.clusterName(cluster.workspace, cluster.name);
  const lock = await table.get(key);
  const isIts = lock?.data.clusterId === cluster.id;
  return [
    ...(lock && isIts ? [{ remove: key, expect: lock.version }] : []),
    {
      put: { ...Keys.clusterName(cluster.workspace, name), type: "name", data: { clusterId: cluster.id } },
      expect: "absent",
    },
  ];
}
