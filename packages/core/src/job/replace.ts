/**
 * A new job on a cluster that others use: it waits behind them, or is refused, or takes their place.
 *
 * Gotcha: the same request may come twice at once. Whoever is second must not cancel the job that the first one has made:
 * each cancellation is written only while the request is not answered.
 */
import type { Actor } from "../actor/actor.ts";
import * as JobArray from "../array/array.ts";
import { ceasing } from "../array/cancel.ts";
import type * as Cluster from "../cluster/cluster.ts";
import { requireManage } from "../cluster/find.ts";
import * as Slots from "../cluster/slots.ts";
import { findClaim, Replay, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import { cancellation } from "./cancel.ts";
import * as Job from "./job.ts";
import { plural } from "./needs.ts";

export type Manner = Pick<Job.Submit, "force" | "onBusy">;

/**
 * To be called when nothing else can be wrong with the request any more.
 * @returns what goes into the transaction that makes the job
 * @throws MusterError `cluster_busy`; `forbidden` for `force` by somebody who does not manage the cluster
 * @throws Replay for a request that was answered meanwhile
 */
export async function makeWay(
  world: Basics,
  actor: Actor,
  cluster: Cluster.Cluster,
  { force, onBusy }: Manner,
): Promise<readonly Write[]> {
  if (force) await clear(world, actor, cluster);
  return onBusy === "fail" ? requireFree(world, cluster) : [];
}

async function clear(world: Basics, actor: Actor, cluster: Cluster.Cluster): Promise<void> {
  requireManage(actor, cluster);
  const before = await findClaim(world, actor);
  if (before) throw new Replay(before.answer);
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  for (const { jobId } of slots === undefined ? [] : Slots.taking(slots)) await end(world, actor, jobId);
  for (const prefix of ["Q#", Keys.RECOVERING]) await endListed(world, actor, cluster, prefix);
}

async function endListed(world: Basics, actor: Actor, cluster: Cluster.Cluster, prefix: string): Promise<void> {
  const { pk } = Keys.cluster(cluster.workspace, cluster.id);
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ pk, prefix, limit: 100, ...(cursor !== undefined && { cursor }) });
    for (const item of page.items) if (item.data.ranks === undefined) await end(world, actor, String(item.data.jobId));
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A run's array ends as a whole: else its next run would come. */
async function end(world: Basics, actor: Actor, jobId: string): Promise<void> {
  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, jobId));
  const arrayId = job === undefined ? jobId : job.array?.id;
  const why = { message: `another job took its place, by ${actor.id}` };
  if (arrayId !== undefined)
    await guarded(world, actor, async () => {
      const array = await load(world.table, JobArray.noun, Keys.array(actor.workspace, arrayId));
      // What is not to be is no reason to end the cluster.
      const done = array && (await ceasing(world, actor, { ...array, down: false }, { end: "cancel" }, why));
      return done?.writes;
    });
  if (job === undefined) return;
  await guarded(world, actor, async () => {
    const now = await load(world.table, Job.noun, Keys.job(actor.workspace, jobId));
    return now && (await cancellation(world, actor, { ...now, down: false }, why))?.writes;
  });
}

const guarded = (world: Basics, actor: Actor, decide: () => Promise<readonly Write[] | undefined>): Promise<void> =>
  retrying(async () => {
    const writes = await decide();
    if (writes === undefined) return;
    const { claim, workspace } = actor;
    const open: Write[] = claim === undefined ? [] : [{ check: Keys.claim(workspace, claim.key), expect: "absent" }];
    await world.table.write([...writes, ...open]);
  });

/** Of two that want it for themselves at the same time only one gets it: the slots are theirs to write. */
async function requireFree(world: Basics, cluster: Cluster.Cluster): Promise<readonly Write[]> {
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  const running = slots === undefined ? [] : Slots.taking(slots);
  const { pk } = Keys.cluster(cluster.workspace, cluster.id);
  const waiting = await Promise.all(
    ["Q#", Keys.RECOVERING].map(prefix => world.table.query({ pk, prefix, limit: 100 })),
  );
  const queued = waiting.flatMap(page => page.items).filter(item => item.data.ranks === undefined);
  if (running.length + queued.length === 0)
    return slots === undefined ? [] : [amend(Slots.noun, slots, { idleSince: world.clock.now() }).write];
  const first = running[0]?.jobId ?? String(queued[0]?.data.jobId);
  const more = running.length + queued.length - 1;
  const others = more > 0 ? `, and ${plural(more, "other")}` : "";
  throw new MusterError("cluster_busy", `cluster '${cluster.name}' is busy with job ${first}${others}`, {
    hint: "leave out --if-busy fail to wait in its queue, or take their place with --force",
  });
}
