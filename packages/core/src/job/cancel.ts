/** Cancelling a job. One that has ended stays as it is. */

import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance, load, type Move, type Stored, type Why } from "../record.ts";
import { ending } from "./end.ts";
import * as Job from "./job.ts";
import { find } from "./read.ts";

/** Seconds between TERM and KILL. */
export const GRACE = 10;
/** How long a cancelled job's hosts may stay silent before somebody looks, in ms. */
const CANCEL_CHECK = 60_000;

export const cancel = (world: Basics, actor: Actor, id: string): Promise<Job.Info> =>
  retrying(() => cancelOnce(world, actor, id));

/** For whoever looks anew by itself, since it may be no job any more. @throws WriteConflict when somebody else was first. */
export async function cancelOnce(world: Basics, actor: Actor, id: string): Promise<Job.Info> {
  const job = await find(world, actor, id);
  await requireControl(world, actor, job);
  const done = await cancellation(world, actor, job);
  const answer = Job.info(done?.move.next ?? job);
  await commit(world, actor, done?.writes ?? [], answer);
  return answer;
}

/** @throws MusterError `forbidden` unless the actor submitted the job, made its cluster, or is an admin. */
export async function requireControl(
  world: Basics,
  actor: Actor,
  job: Pick<Job.Job, "workspace" | "id" | "owner" | "clusterId">,
): Promise<void> {
  if (job.owner === actor.id || actor.role === "admin") return;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  if (cluster?.owner === actor.id) return;
  throw new MusterError("forbidden", `job ${job.id} belongs to ${job.owner}`, {
    hint: "its owner, its cluster's owner or an admin may do that",
  });
}

/** What cancels the job from where it is; undefined when it has ended, or is on its way there. */
export async function cancellation(
  world: Basics,
  actor: { readonly id: string },
  job: Stored<Job.Job>,
  why: Why = {},
): Promise<{ move: Move<Job.Job>; writes: readonly Write[] } | undefined> {
  if (Job.isOver(job) || job.state === "cancelling") return undefined;
  if (!Job.isPlaced(job)) return ending(world, actor, job, "cancel", {}, why);
  const move = advance(world, Job.kind, actor, job, "cancel", { dueAt: world.clock.now() + CANCEL_CHECK }, why);
  return { move, writes: move.writes };
}
