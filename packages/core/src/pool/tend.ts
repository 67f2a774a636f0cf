/** One member: prepared, stopped or started as its pool keeps it, or given up. */
import * as Actor from "../actor/actor.ts";
import * as Budget from "../budget/take.ts";
import { removal, starting } from "../cluster/change.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { advance, amend, load, type Stored } from "../record.ts";
import { failed } from "./failure.ts";
import { type Member, noun } from "./member.ts";
import * as Pool from "./pool.ts";

/** Whether it is as the pool wants it, or on its way there. */
export type Standing = "rests" | "moves";

interface Seen {
  readonly pool: Stored<Pool.Pool>;
  readonly member: Stored<Member>;
  readonly cluster: Stored<Cluster.Cluster>;
}

/** States from which a cluster that is being prepared does not go on by itself. */
const STUCK: ReadonlySet<Cluster.State> = new Set(["stopped", "broken"]);

/** The pool is read for each: what another member has changed of it is known. */
export async function tend(world: World, { workspace, name }: Pool.PoolRef, member: Stored<Member>): Promise<Standing> {
  const pool = await Pool.find(world.table, workspace, name);
  if (pool === undefined || pool.leaving) return "rests";
  // It is replaced, whatever became of it: that says nothing of what the pool is now.
  if (member.revision !== pool.revision) return "moves";
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, member.clusterId));
  if (cluster === undefined || Cluster.isLeaving(cluster)) return vanished(world, pool, member, cluster);
  const seen = { pool, member, cluster };
  return member.preparedAt === undefined ? prepare(world, seen) : keep(world, seen);
}

/** Somebody has removed it, which is no failure; or it came to nothing by itself. */
async function vanished(
  world: World,
  pool: Stored<Pool.Pool>,
  member: Stored<Member>,
  cluster: Cluster.Cluster | undefined,
): Promise<Standing> {
  const gone: Write = { remove: noun.key(member), expect: member.version };
  const failure = cluster !== undefined && "failure" in cluster ? cluster.failure : undefined;
  const why = failure && { ...failure, ...lossOf(member) };
  await world.table.write(
    why ? [gone, ...failed(world, pool, why)] : [gone, ended(world, pool, member, "it was removed")],
  );
  return "moves";
}

async function prepare(world: World, seen: Seen): Promise<Standing> {
  const { cluster, member } = seen;
  if (STUCK.has(cluster.state)) return giveUp(world, seen, failureOf(cluster));
  const { workspace, jobId } = member;
  const job = jobId === undefined ? undefined : await load(world.table, Job.noun, Keys.job(workspace, jobId));
  if (job !== undefined && Job.isOver(job) && job.state !== "succeeded") return giveUp(world, seen, spoilt(job));
  const isDone = cluster.state === "ready" && (job === undefined || Job.isOver(job));
  if (!isDone) return "moves";
  await prepared(world, seen);
  return keep(world, seen);
}

function failureOf(cluster: Cluster.Cluster): Cluster.Failure {
  const failure = "failure" in cluster ? cluster.failure : undefined;
  return failure ?? { code: "stopped", message: `cluster ${cluster.name} is ${cluster.state}, and was not prepared` };
}

function spoilt(job: Job.Job): Cluster.Failure {
  const failure = "failure" in job ? job.failure : undefined;
  const code = job.state === "failed" ? (failure?.code ?? "setup_failed") : job.state;
  const why = failure === undefined ? "" : `: ${failure.message}`;
  return { code, message: `job ${job.id}, which prepares it, has ${ENDS[job.state] ?? "ended"}${why}` };
}

const ENDS: Readonly<Record<string, string>> = {
  failed: "failed",
  cancelled: "been cancelled",
  timed_out: "taken too long",
};

/** What has gone wrong before says nothing any more. */
async function prepared(world: World, { pool, member }: Seen): Promise<void> {
  const { write } = amend<Member>(noun, member, { preparedAt: world.clock.now() });
  const well = { failures: 0, retryAt: undefined };
  const event = Pool.eventOf(world, Actor.system(pool.workspace), pool, "ready", { clusterId: member.clusterId });
  const more = pool.failures > 0 ? [amend<Pool.Pool>(Pool.noun, pool, well).write] : [];
  await world.table.write([write, ...more, event]);
}

/** Running, or stopped, as the pool keeps its members. */
async function keep(world: World, seen: Seen): Promise<Standing> {
  const { pool, cluster } = seen;
  if (cluster.state === "broken") return giveUp(world, seen, failureOf(cluster));
  if (pool.keep === "stopped") return cluster.state === "ready" ? stop(world, cluster) : resting(cluster, "stopped");
  if (cluster.state !== "stopped") return resting(cluster, "ready");
  return cluster.failure === undefined ? start(world, seen) : giveUp(world, seen, cluster.failure);
}

const resting = (cluster: Cluster.Cluster, state: Cluster.State): Standing =>
  cluster.state === state ? "rests" : "moves";

/** The slots are checked, as when a cluster's own policy stops it: nothing runs there. */
async function stop(world: World, cluster: Stored<Cluster.Cluster>): Promise<Standing> {
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  if (slots === undefined || Slots.busy(slots).length > 0) return "moves";
  const why = { message: `pool '${cluster.pool}' keeps it stopped` };
  const patch = { dueAt: world.clock.now(), byPolicy: true };
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "stop", patch, why);
  await world.table.write([...move.writes, { check: Slots.noun.key(slots), expect: slots.version }]);
  return "moves";
}

async function start(world: World, { pool, cluster }: Seen): Promise<Standing> {
  if (pool.retryAt !== undefined && pool.retryAt > world.clock.now()) return "moves";
  try {
    const { writes } = await starting(world, Actor.system(cluster.workspace), cluster);
    await world.table.write(writes);
  } catch (error) {
    if (!Budget.isRefusal(error)) throw error;
    await world.table.write(failed(world, pool, { code: error.code, message: error.message, clusterId: cluster.id }));
  }
  return "moves";
}

/** The end of a member that came to nothing. */
async function giveUp(world: World, { pool, member, cluster }: Seen, why: Cluster.Failure): Promise<Standing> {
  const { writes } = ending(world, cluster, why.message);
  const gone: Write = { remove: noun.key(member), expect: member.version };
  await world.table.write([...writes, gone, ...failed(world, pool, { ...why, ...lossOf(member) })]);
  return "moves";
}

const lossOf = ({ clusterId, preparedAt }: Member) => ({ clusterId, wasPrepared: preparedAt !== undefined });

/** The end of a member that is one too many. The pool must be what it was when that was decided. */
export async function drop(world: World, pool: Stored<Pool.Pool>, member: Stored<Member>, why: string): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(member.workspace, member.clusterId));
  const { writes } = ending(world, cluster, why);
  await world.table.write([
    ...writes,
    { remove: noun.key(member), expect: member.version },
    { check: Pool.noun.key(pool), expect: pool.version },
    ended(world, pool, member, why),
  ]);
}

const ended = (world: World, pool: Pool.Pool, { clusterId, workspace }: Member, message: string): Write =>
  Pool.eventOf(world, Actor.system(workspace), pool, "ended", { clusterId, message });

function ending(
  world: World,
  cluster: Stored<Cluster.Cluster> | undefined,
  message: string,
): { readonly writes: readonly Write[] } {
  const move = cluster && removal(world, Actor.system(cluster.workspace), cluster, { message });
  return move ?? { writes: [] };
}
