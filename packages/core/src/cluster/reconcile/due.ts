/** When the idle policy of a ready cluster acts. What is costly to know is asked last, and only when its time has come. */

import * as Actor from "../../actor/actor.ts";
import { couldFit } from "../../job/place.ts";
import { Queued } from "../../job/queue.ts";
import * as Recover from "../../job/recover.ts";
import * as Keys from "../../keys.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import * as Cluster from "../cluster.ts";
import { eventOf } from "../hold.ts";
import { deadline, freeFrom, type Idle, waitsForJobs, watched } from "../idle.ts";
import { READY_CHECK } from "../register.ts";
import * as Slots from "../slots.ts";
import * as Words from "../words.ts";
import { quietSince } from "./quiet.ts";
import type { In } from "./step.ts";

/** How soon hosts that have not said whether they are busy are asked about again, in ms. */
const ASK_AGAIN = 60_000;

export type Due =
  | { readonly acts: true; readonly idle: Exclude<Idle, "never"> }
  /** Epoch ms of the next look. */
  | { readonly acts: false; readonly at: number };

const at = (time: number): Due => ({ acts: false, at: time });

export async function dueOf(world: World, cluster: In<"ready">, slots: Slots.Slots | undefined): Promise<Due> {
  const now = world.clock.now();
  const policy = Cluster.policyOf(cluster);
  const since = waitsForJobs(policy) ? await withoutJobs(world, cluster, slots) : cluster.changedAt;
  const endAt = deadline(policy, since);
  if (endAt === undefined || slots === undefined) return at(endAt ?? now + READY_CHECK);
  if (endAt > now) return at(endAt);
  const idle = await Words.policyOf(world.table, cluster);
  if (idle === "never") return at(now + READY_CHECK);
  const free = freeFrom({ hold: cluster.hold, keep: idle.keep }, now);
  if (free !== now) return at(Math.min(free ?? Number.POSITIVE_INFINITY, now + READY_CHECK));
  return (await busyHosts(world, cluster, idle, since)) ?? { acts: true, idle };
}

/** The next look where hosts say that they are busy, or were, or do not say it yet. */
async function busyHosts(world: World, cluster: In<"ready">, idle: Idle, since: number): Promise<Due | undefined> {
  if (watched(idle) === undefined) return undefined;
  const now = world.clock.now();
  const { id: clusterId, workspace, nodes, changedAt, watchFrom = 0 } = cluster;
  const from = Math.max(changedAt, watchFrom);
  const time = deadline(idle, 0) ?? 0;
  const quiet = await quietSince(world.table, { workspace, clusterId }, nodes, { from, time, now });
  const endAt = deadline(idle, Math.max(since, quiet.since)) ?? now;
  if (endAt > now) return at(endAt);
  return quiet.isUnknown ? at(now + ASK_AGAIN) : undefined;
}

/** Epoch ms since when no job runs or waits for its hosts: `now` while one does. */
async function withoutJobs(world: World, cluster: In<"ready">, slots: Slots.Slots | undefined): Promise<number> {
  const isBusy = slots === undefined || Slots.busy(slots).length > 0 || (await isAwaited(world, cluster, slots));
  return isBusy ? world.clock.now() : slots.idleSince;
}

/** Somebody will wait for hosts of it again, or does: looked at in the order in which a job goes from the one to the other. */
const isAwaited = async (world: World, cluster: In<"ready">, slots: Slots.Slots): Promise<boolean> =>
  (await Recover.isAwaited(world.table, { workspace: cluster.workspace, clusterId: cluster.id })) ||
  canPlace(world, cluster, slots);

/** A queue holds the idle deadline only while its head can ever start: enough hosts are open for it. */
async function canPlace(world: World, cluster: In<"ready">, slots: Slots.Slots): Promise<boolean> {
  const { pk } = Keys.cluster(cluster.workspace, cluster.id);
  const [head] = (await world.table.query({ pk, prefix: "Q#", limit: 1 })).items;
  return head !== undefined && couldFit(Queued.parse(head.data), Slots.open(slots.hosts));
}

/** A hold that is over is told of with the next write of the record. */
export function lapsed(
  world: World,
  cluster: Cluster.Cluster,
): { readonly patch: { readonly hold?: undefined }; readonly writes: readonly Write[] } {
  if (cluster.hold === undefined || Cluster.isHeld(cluster, world.clock.now())) return { patch: {}, writes: [] };
  const event = eventOf(world, Actor.system(cluster.workspace), cluster, "released", "the hold is over");
  return { patch: { hold: undefined }, writes: [event] };
}
