/**
 * Holding a cluster: its idle policy neither stops nor ends it for some time, whatever is idle. The hold ends by itself. What
 * people do to the cluster, and the end of its lifetime, stand over it.
 */
import * as z from "zod";
import type { Actor, By } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { amend, type Stored } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { find, requireManage, requireUse } from "./find.ts";
import * as Words from "./words.ts";

/** Seconds. */
const LONGEST = 7 * 24 * 3600;

export const Request = z.strictObject({
  seconds: z
    .number()
    .int()
    .min(1)
    .max(LONGEST, { error: `the longest hold is 7 days (${LONGEST} seconds); it may be prolonged` })
    .meta({ description: "From now on" }),
  reason: z.string().min(1).max(500).optional(),
});
export type Request = z.infer<typeof Request>;

/**
 * Said again it prolongs the hold; it never makes one shorter.
 * @throws MusterError `forbidden` for another's cluster that is not shared; `conflict` for one that is leaving, a managed
 * job's, or a pool's.
 */
export const hold = (world: Basics, actor: Actor, reference: string, request: Request): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireUse(actor, cluster);
    Cluster.requireShareable(cluster);
    if (Cluster.isLeaving(cluster))
      throw new MusterError("conflict", `cluster '${cluster.name}' is ${cluster.state}: nothing keeps it any more`, {
        state: cluster.state,
      });
    const until = world.clock.now() + request.seconds * 1000;
    if (cluster.hold !== undefined && cluster.hold.until >= until) return unchanged(world, actor, cluster);
    const { reason } = request;
    const hold = { until, by: actor.id, ...(reason !== undefined && { reason: true as const }) };
    const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, { hold });
    const words = await Words.reasoned(world.table, cluster, reason);
    const said = `until ${new Date(until).toISOString()}${reason === undefined ? "" : `: ${reason}`}`;
    const answer = withReason(Cluster.info(next), reason);
    await commit(world, actor, [write, ...words, eventOf(world, actor, cluster, "held", said)], answer);
    return answer;
  });

/**
 * Ends a hold; its idle policy is followed again at once. Where nobody holds it nothing changes.
 * @throws MusterError `forbidden` unless the actor holds it, made it, or is an admin.
 */
export const release = (world: Basics, actor: Actor, reference: string): Promise<Cluster.Info> =>
  retrying(async () => {
    const cluster = await find(world, actor, reference);
    if (cluster.hold?.by !== actor.id) requireManage(actor, cluster);
    const now = world.clock.now();
    if (!Cluster.isHeld(cluster, now) || Cluster.isLeaving(cluster)) return unchanged(world, actor, cluster);
    const hangs = cluster.state === "ready" || cluster.state === "stopped";
    const patch = { hold: undefined, ...(hangs && { dueAt: now }) };
    const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, patch);
    const answer = Cluster.info(next);
    await commit(world, actor, [write, eventOf(world, actor, cluster, "released")], answer);
    return answer;
  });

async function unchanged(world: Basics, actor: Actor, cluster: Stored<Cluster.Cluster>): Promise<Cluster.Info> {
  const answer = await Words.infoOf(world.table, cluster);
  await commit(world, actor, [], answer);
  return answer;
}

const withReason = (info: Cluster.Info, reason: string | undefined): Cluster.Info =>
  info.hold === undefined || reason === undefined ? info : { ...info, hold: { ...info.hold, reason } };

/** The line of a cluster's history that says who has held it, or let it go. */
export function eventOf(
  world: Basics,
  by: By,
  cluster: Cluster.Cluster,
  what: "held" | "released",
  message?: string,
): Write {
  const about = { subject: cluster.id, clusterId: cluster.id, kind: `cluster.${what}` };
  return Event.happens(world, Cluster.noun.key(cluster), by, { ...about, ...(message !== undefined && { message }) });
}
