/**
 * draining → requested: the cluster of a managed job is made anew when its machines are lost, or could not be had.
 *
 * Lifecycle: its failure says that it is to be (`renew`); it drains as any other, but its job goes on waiting; when nothing is
 * left of the old machines, nor can come any more, it is requested again as the next generation, after a pause that grows with
 * each round that came to nothing. Name, share of the budget and policy are what they were.
 *
 * Gotchas: the job may end at any moment, by itself or by somebody's word. So it is checked, not only read, and whatever
 * ends it takes `renew` away with it. And whoever stood still in here, while the cluster was made anew, must not touch the
 * try that runs on the new machines: the job is read first, then the cluster, which must be as it was.
 */
import * as Actor from "../../actor/actor.ts";
import * as Budget from "../../budget/take.ts";
import * as Capacity from "../../capacity/memory.ts";
import * as Job from "../../job/job.ts";
import { causeOf } from "../../job/retry.ts";
import * as Keys from "../../keys.ts";
import { type Write, WriteConflict } from "../../ports/table.ts";
import type { Basics, World } from "../../ports/world.ts";
import { advance, amend, load, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { groupsOf } from "../group.ts";
import { renewAt } from "../renewal.ts";
import * as Slots from "../slots.ts";
import { afford } from "./afford.ts";
import { closing, failing } from "./jobs.ts";
import { later } from "./later.ts";
import type { In, Outcome } from "./step.ts";

/** How soon it is looked at again when something stands in the way, in ms. */
const LOOK = 15_000;

/** How soon it is looked at again while nothing may begin, in ms. */
const FROZEN = 600_000;

/** How long the request may wait for its first reconciliation, in ms. */
const PLAN_WITHIN = 60_000;

/** Whether, after this failure, the cluster is made anew: a job owns it that goes on, and whose retries cover what happened. */
export async function isRenewed(
  world: Pick<Basics, "table">,
  cluster: Cluster.Cluster,
  failure: Cluster.Failure,
): Promise<boolean> {
  const cause = causeOf(failure);
  const job = cause && (await ownerOf(world, cluster));
  if (job === undefined || job.retry === undefined || !isGoingOn(job)) return false;
  // Sets of machines are counted like tries.
  return job.retry.on.includes(cause as never) && cluster.generation <= job.retry.max;
}

/** The managed job that the cluster is for. */
export async function ownerOf(
  { table }: Pick<Basics, "table">,
  { workspace, managedBy }: Cluster.Cluster,
): Promise<Stored<Job.Job> | undefined> {
  return managedBy === undefined ? undefined : load(table, Job.noun, Keys.job(workspace, managedBy));
}

const isGoingOn = (job: Job.Job): boolean => !Job.isOver(job) && job.state !== "cancelling";

/** The job, as it was when the cluster was still what it is here. @throws WriteConflict when that has changed. */
async function ownerNow(world: World, cluster: In<"draining">): Promise<Stored<Job.Job> | undefined> {
  const job = await ownerOf(world, cluster);
  const key = Cluster.noun.key(cluster);
  const now = await load(world.table, Cluster.noun, key);
  if (now?.version !== cluster.version) throw new WriteConflict([{ key, expected: cluster.version }]);
  return job;
}

const LOST: Cluster.Failure = { code: "machines_lost", message: "its machines are gone" };

/** Asks the nodes that are left of the job's try to end; the job goes on. @returns how many jobs still hold hosts. */
export async function endTry(world: World, cluster: In<"draining">): Promise<number> {
  const job = await ownerNow(world, cluster);
  if (job === undefined || !Job.isPlaced(job)) return 0;
  const writes = await failing(world, job, cluster.failure ?? LOST);
  if (writes) await world.table.write(writes);
  return 1;
}

/** Nothing is left of its machines. */
export async function renew(world: World, cluster: In<"draining">): Promise<Outcome> {
  const job = await ownerNow(world, cluster);
  if (job === undefined || !isGoingOn(job)) return giveUp(world, cluster);
  if (Job.isPlaced(job)) return closeTry(world, job, cluster.failure ?? LOST);
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  const now = world.clock.now();
  if (slots && Slots.busy(slots).length > 0) return later(world, cluster, now + LOOK);
  const at = renewAt(cluster);
  if (now < at) return later(world, cluster, at);
  const paid = await again(world, cluster);
  if (paid === undefined) return later(world, cluster, now + FROZEN);
  await rememberTaken(world, cluster);
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "renew", {
    generation: cluster.generation + 1,
    restarts: (cluster.restarts ?? 0) + 1,
    ...paid.share,
    dueAt: now + PLAN_WITHIN,
  });
  // The slots keep no hosts, and their fence: no try is ever taken for one of before.
  const empty: Write[] = slots ? [amend(Slots.noun, slots, { hosts: [] }).write] : [];
  await world.table.write([
    ...move.writes,
    ...empty,
    ...paid.writes,
    { check: Job.noun.key(job), expect: job.version },
  ]);
  return "again";
}

/** None of its machines costs anything any more; undefined while nothing may begin. */
async function again(world: World, cluster: In<"draining">) {
  try {
    return await afford(world, cluster, { hourly: 0, machines: "end", begins: true });
  } catch (error) {
    if (Budget.isRefusal(error)) return undefined;
    throw error;
  }
}

/** Nobody is left to report for it. */
async function closeTry(world: World, job: Stored<Job.Placed>, lost: Cluster.Failure): Promise<Outcome> {
  await world.table.write(await closing(world, job, lost));
  return "again";
}

/** There is nobody left to make it anew for. */
async function giveUp(world: World, cluster: In<"draining">): Promise<Outcome> {
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { renew: undefined }).write]);
  return "again";
}

/** Where machines were just taken back, the next ones are not looked for first. */
async function rememberTaken(world: World, cluster: In<"draining">): Promise<void> {
  const { launch, failure } = cluster;
  const cause = failure && causeOf(failure);
  const isTaken = cause === "interruption" || (cause === "host_lost" && launch?.offer.market === "spot");
  if (!isTaken || launch === undefined) return;
  const nodes = groupsOf(cluster)[Cluster.atGroup(launch)]?.nodes ?? 1;
  await Capacity.remember(world, launch.offer, nodes, "no_capacity");
}
