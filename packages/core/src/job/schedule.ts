/**
 * Scheduling: places a cluster's queued jobs on its hosts, one transaction each. Anything may call it at any time.
 *
 * Lifecycle of a round: the head of the queue and the slots are read, what starts is decided, and each placement is written
 * with what it was decided on. Whoever loses a race reads again.
 */
import * as Actor from "../actor/actor.ts";
import { failed } from "../array/cancel.ts";
import { claim } from "../array/claim.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as Slots from "../cluster/slots.ts";
import { retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import { type Item, type Write, WriteConflict } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, load, type Stored } from "../record.ts";
import { begun } from "./cost.ts";
import { ending } from "./end.ts";
import { failureOf } from "./impossible.ts";
import * as Job from "./job.ts";
import { type Placement, place } from "./place.ts";
import { Queued } from "./queue.ts";

/** How soon a job that got its hosts must be heard of, in ms. */
export const START_CHECK = 120_000;

/** Entries of the queue that are looked at in one round. */
const PAGE = 50;

/** @returns the ids of the jobs that it placed, or ended since they can never be. */
export async function schedule(world: Basics, ref: ClusterRef): Promise<string[]> {
  const done: string[] = [];
  while (await retrying(() => round(world, ref, done)));
  return done;
}

interface Read {
  readonly cluster: Stored<Cluster.Cluster>;
  readonly slots: Stored<Slots.Slots>;
  readonly queue: readonly Entry[];
}

type Entry = Queued & { readonly item: Item };

/** @returns whether there may be more to do. */
async function round(world: Basics, ref: ClusterRef, done: string[]): Promise<boolean> {
  const found = await read(world, ref);
  if (found === undefined) return false;
  const grows = found.cluster.state !== "ready";
  const { placements, impossible } = place(found.queue, found.slots.hosts, { grows });
  const before = done.length;
  try {
    for (const { jobId } of impossible) done.push(await refuse(world, found, entryOf(found, jobId)));
    if (!(await write(world, found, placements, done))) return true;
  } catch (error) {
    // What was written before stays: the rest is read again.
    if (!(error instanceof WriteConflict) || done.length === before) throw error;
    return true;
  }
  const decided = new Set([...placements, ...impossible].map(one => one.jobId));
  // What waits for a lost host stays at the head, and holds up nobody.
  const waits = found.queue.some(entry => entry.ranks === undefined && !decided.has(entry.jobId));
  return decided.size > 0 && !waits && found.queue.length >= PAGE;
}

async function read(world: Basics, ref: ClusterRef): Promise<Read | undefined> {
  const key = Keys.cluster(ref.workspace, ref.clusterId);
  const queue = await head(world, key.pk);
  if (queue.length === 0) return undefined;
  // Before its slots: those that are of an earlier time would seem to lack the hosts that it has got since.
  const cluster = await load(world.table, Cluster.noun, key);
  if (cluster === undefined || !Cluster.takesJobs(cluster)) return undefined;
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  if (slots === undefined) return undefined;
  return { cluster, slots, queue };
}

/** The head of the queue, with more than what stands before all that has a priority. */
async function head(world: Basics, pk: string): Promise<Entry[]> {
  const found: Entry[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ pk, prefix: "Q#", limit: PAGE, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items.map(item => ({ ...Queued.parse(item.data), item })));
    cursor = page.cursor;
  } while (cursor !== undefined && found.at(-1)?.ranks !== undefined);
  return found;
}

const entryOf = ({ queue }: Read, jobId: string): Entry => queue.find(entry => entry.jobId === jobId) as Entry;

/** @returns false when the queue is not what was read: then the rest of the round is decided anew. */
async function write(world: Basics, found: Read, placements: readonly Placement[], done: string[]): Promise<boolean> {
  let { slots } = found;
  for (const placement of placements) {
    const entry = entryOf(found, placement.jobId);
    const job = await jobOf(world, found, entry);
    if ("stale" in job) {
      await world.table.write([{ remove: entry.item, expect: entry.item.version }, job.stale]);
      done.push(placement.jobId);
      return false;
    }
    const next = placing(world, job.job, { ...found, slots }, placement);
    // The cluster is checked, not only read: a placement that lands late finds hosts that are no longer there.
    const ready: Write = { check: Cluster.noun.key(found.cluster), expect: found.cluster.version };
    await world.table.write([...next.writes, ...job.writes, ready]);
    done.push(job.job.id);
    slots = next.slots;
    // It may have a further run that begins now, before all others.
    if (entry.array) return false;
  }
  return true;
}

interface Ready {
  readonly job: Stored<Job.Job>;
  /** What its place in the queue comes to. */
  readonly writes: readonly Write[];
}

/**
 * @returns a check by which to take the place away, when nothing waits there any more: whoever comes to wait again gets the
 * same place, and its version counts from 1 again.
 */
async function jobOf(world: Basics, { slots }: Read, entry: Entry): Promise<Ready | { readonly stale: Write }> {
  const { item, jobId } = entry;
  if (entry.array) return claim(world, slots.workspace, item, entry);
  const key = Keys.job(slots.workspace, jobId);
  const job = await load(world.table, Job.noun, key);
  if (job?.state !== "queued") return { stale: { check: key, expect: job?.version ?? "absent" } };
  return { job, writes: [{ remove: { pk: item.pk, sk: item.sk }, expect: item.version }] };
}

function placing(
  world: Basics,
  job: Stored<Job.Job>,
  { cluster, slots }: Pick<Read, "cluster" | "slots">,
  { ranks, parts }: Placement,
): { writes: Write[]; slots: Stored<Slots.Slots> } {
  const fence = Slots.nextFence(slots);
  const now = world.clock.now();
  const move = advance(world, Job.kind, Actor.system(job.workspace), job, "place", {
    fence,
    placement: [...ranks],
    attempts: job.attempts + 1,
    cost: begun(job, cluster, slots.hosts, parts, now),
    dueAt: now + START_CHECK,
  });
  const taken = Slots.occupy(slots, { jobId: job.id, fence, parts }, now);
  return { writes: [...move.writes, taken.write], slots: taken.next };
}

/**
 * A job that was accepted before its cluster's machines were known, and that they can never run: it would wait for ever, and
 * have the cluster started again and again.
 */
async function refuse(world: Basics, { cluster, slots }: Read, entry: Entry): Promise<string> {
  const { item, jobId } = entry;
  const failure = failureOf(entry, cluster, slots.hosts);
  if (entry.array && (await failed(world, cluster, jobId, failure))) return jobId;
  const key = Keys.job(cluster.workspace, jobId);
  const job = await load(world.table, Job.noun, key);
  if (job?.state !== "queued") {
    const stale: Write = { check: key, expect: job?.version ?? "absent" };
    await world.table.write([{ remove: item, expect: item.version }, stale]);
    return jobId;
  }
  // It takes no cluster along that has only not grown.
  const alone = { ...job, down: false };
  const why = { message: failure.message };
  const end = await ending(world, Actor.system(job.workspace), alone, "fail", { failure }, why);
  await world.table.write([...end.writes, { check: Cluster.noun.key(cluster), expect: cluster.version }]);
  return jobId;
}
