/**
 * Jobs that wait: for the end of others, or to be released. What wakes them may be lost or come twice: each looks by itself,
 * and at the latest when it is due.
 */
import * as Actor from "../actor/actor.ts";
import { becoming } from "../array/submit.ts";
import * as Cluster from "../cluster/cluster.ts";
import { retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Item, Page, Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, amend, load, type Stored } from "../record.ts";
import { unpark } from "./after.ts";
import { ending } from "./end.ts";
import * as Job from "./job.ts";
import { endOf, isMet, type Outcome, outcomeOf } from "./outcome.ts";
import { enqueue } from "./queue.ts";
import { lookAt, QUEUE_CHECK, startByOf } from "./queue-time.ts";

/** How many jobs are looked at at a time, and how many are read at a time. */
const AT_ONCE = 8;
const PER_READ = 100;

type Ref = { readonly workspace: string; readonly jobId: string };
type Waiting = Stored<Job.Waiting>;

/** Looks whether there is still something to wait for; a job that does not wait stays as it is. */
export const look = (world: Basics, ref: Ref): Promise<void> =>
  retrying(async () => {
    const job = await load(world.table, Job.noun, Keys.job(ref.workspace, ref.jobId));
    const writes = job && Job.isWaiting(job) ? await step(world, job) : [];
    if (writes.length > 0) await world.table.write(writes);
  });

async function step(world: Basics, job: Waiting): Promise<readonly Write[]> {
  const { after = [], dueAt } = job;
  const others = await Promise.all(after.map(({ job: id }) => outcomeOf(world.table, job.workspace, id)));
  const failure = (await stranded(world.table, job)) ?? disappointed(after, others);
  if (failure !== undefined) return failing(world, job, failure);
  const left = after.filter((one, index) => met(one, others[index]) !== "yes");
  if (left.length === 0 && !job.held)
    return (await released(world, Actor.system(job.workspace), job, "what it waited for has ended")).writes;
  const now = world.clock.now();
  if (left.length === after.length && dueAt > now) return [];
  const open = left.length === 0 ? undefined : left;
  return [amend<Job.Job>(Job.noun, job, { after: open, dueAt: now + QUEUE_CHECK }).write];
}

const met = (one: Job.After, other: Outcome | undefined) => (other === undefined ? "never" : isMet(one, other));

async function failing(world: Basics, job: Waiting, failure: Cluster.Failure): Promise<readonly Write[]> {
  const { message } = failure;
  return (await ending(world, Actor.system(job.workspace), job, "fail", { failure }, { message })).writes;
}

/** A job ends with its cluster: there is nowhere to go when its time comes. */
async function stranded(table: Table, job: Job.Waiting): Promise<Cluster.Failure | undefined> {
  const cluster = await load(table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster !== undefined && !Cluster.isLeaving(cluster)) return undefined;
  const message = `cluster '${job.clusterName}' has ended while the job waited`;
  const hint = "submit it to another cluster, or make one with it: muster launch FILE";
  return { code: "cluster_ended", message, hint };
}

/** One of those that it waits for has ended otherwise than it should. */
function disappointed(
  after: readonly Job.After[],
  others: readonly (Outcome | undefined)[],
): Cluster.Failure | undefined {
  const index = after.findIndex((one, at) => met(one, others[at]) === "never");
  const one = after[index];
  if (one === undefined) return undefined;
  const how = endOf(others[index]);
  const hint = `to run whatever becomes of the other: --after ${one.job}:end`;
  return { code: "dependency_failed", message: `it waited for the success of ${one.job}, which ${how}`, hint };
}

/** The job goes to the queue; from now on it counts how long it stands there. The caller commits the writes. */
export async function released(
  world: Basics,
  actor: { readonly id: string },
  job: Waiting,
  message: string,
): Promise<{ readonly next: Stored<Job.Job>; readonly writes: readonly Write[] }> {
  const now = world.clock.now();
  const { queueTimeout } = job;
  const startBy = startByOf(queueTimeout, now);
  const patch = { ...startBy, dueAt: lookAt({ ...startBy, attempts: job.attempts }, now) };
  const move = advance<Job.Job, Job.State, "release">(world, Job.kind, actor, job, "release", patch, { message });
  const place = await unpark(world.table, job);
  if (job.many) return { next: move.next, writes: [...becoming(world, actor, job, move.next, message), ...place] };
  return { next: move.next, writes: [...move.writes, ...place, enqueue(move.next)] };
}

/**
 * A job has ended: all that wait for it look. Those that were told are crossed off one by one, so that whoever is stopped
 * halfway can be followed by another.
 */
export async function wake(world: Basics, ref: Ref): Promise<void> {
  const { pk } = Keys.job(ref.workspace, ref.jobId);
  await each(world.table, { pk, prefix: Keys.NEXT }, async item => {
    await look(world, { workspace: ref.workspace, jobId: String(item.data.jobId) });
    await retrying(() => cross(world.table, item));
  });
}

/** Whoever was faster has crossed it off. */
async function cross(table: Table, { pk, sk }: Item): Promise<void> {
  const item = await table.get({ pk, sk });
  if (item) await table.write([{ remove: { pk, sk }, expect: item.version }]);
}

/** A cluster has ended: those of its jobs that wait end as well. */
export async function strand(world: Basics, ref: ClusterRef): Promise<void> {
  const { pk } = Keys.cluster(ref.workspace, ref.clusterId);
  await each(world.table, { pk, prefix: Keys.WAITING }, item =>
    look(world, { workspace: ref.workspace, jobId: String(item.data.jobId) }),
  );
}

/** Page by page, a few at a time. What fails for one does not keep the others from it. @throws the first failure, at the end */
async function each(
  table: Table,
  range: { readonly pk: string; readonly prefix: string },
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await table.query({ ...range, limit: PER_READ, ...(cursor !== undefined && { cursor }) });
    // One iterator for all of them: each takes the next that nobody has taken.
    const queue = page.items.values();
    const work = async () => {
      for (const item of queue) await run(item).catch(error => failures.push(error));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    cursor = page.cursor;
  } while (cursor !== undefined);
  if (failures.length > 0) throw failures[0];
}
