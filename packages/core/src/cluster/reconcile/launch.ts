/**
 * launching → booting.
 *
 * Lifecycle: take the lease and store `sentAt` (the intent) → call → record what it answered, with the intent of the next
 * group's call; when there is none, the machines boot. One caller at a time holds the lease; when it dies, the next one
 * sends the same intent again and gets the same machines.
 *
 * Gotchas: the cluster may be removed while the call is out. Then what the call made is recorded on the draining cluster,
 * so that draining knows that nothing more can come of it. And a call that never answered may land long after another one
 * was refused: until that is out of the question, there is no other try, or one cluster would have two sets of machines.
 */
import * as Actor from "../../actor/actor.ts";
import * as Throttle from "../../capacity/throttle.ts";
import { retrying } from "../../commit.ts";
import { MusterError } from "../../error.ts";
import type * as Host from "../../host/host.ts";
import { enrollmentToken } from "../../host/token.ts";
import { whyGone } from "../../image/resolve.ts";
import * as Keys from "../../keys.ts";
import type { Intent, MachineProvider } from "../../ports/provider.ts";
import { WriteConflict } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { chosenOf, resourcesOf } from "../../provider/choices.ts";
import { advance, amend, load } from "../../record.ts";
import type { Choice } from "../../task/resources.ts";
import * as Cluster from "../cluster.ts";
import { groupsOf } from "../group.ts";
import { powerOffOf } from "../idle.ts";
import { afford, costOf } from "./afford.ts";
import { expectHosts, nameMachines } from "./expect.ts";
import { fail } from "./fail.ts";
import { groupOf, nextGroup, specOf } from "./plan.ts";
import { providerOf } from "./provider.ts";
import { isSameTry, refused } from "./refuse.ts";
import type { In, Outcome } from "./step.ts";

/** How long one caller may be alone in launching, in ms; longer than any launch call takes. */
export const LEASE = 60_000;

/** How soon after a call that failed without an answer the same intent is sent again, in ms. */
const RESEND = 5_000;

/** How long the calls of one launch may go on without a word, in ms. Draining waits for what may still come of them. */
const LAUNCH_WITHIN = 3_600_000;

const UNANSWERED: Cluster.Failure = {
  code: "launch_failed",
  message: "the machines could not be launched within an hour",
  hint: "look at its status page, then launch again",
};

export async function launch(world: World, cluster: In<"launching">): Promise<Outcome> {
  if (isHeld(cluster.launch, world.clock.now())) return "wait";
  const provider = providerOf(world, cluster);
  const spec = await specOf(world, cluster);
  const resources = resourcesOf(groupOf(cluster, spec, Cluster.atGroup(cluster.launch)), cluster.launch.offer);
  const obstacle = await obstacleTo(world, cluster, resources);
  if (obstacle) return fail(world, cluster, obstacle);
  const hosts = await expectHosts(world, cluster);
  if (hosts === undefined) return "again";
  const ask = { workspace: cluster.workspace, calls: callsFor(cluster, hosts.length) };
  const queue = await Throttle.take(world, provider, ask);
  if (queue > 0) return later(world, cluster, queue);
  const now = world.clock.now();
  const sent = sending(cluster.launch, now, provider.capabilities);
  const { next, write } = amend<Cluster.Cluster>(Cluster.noun, cluster, { launch: sent, dueAt: now + LEASE });
  await world.table.write([write]);
  // Whoever stood still over that write is too late to call: `sentAt` must not be long before the call.
  if (world.clock.now() > now + LEASE / 2) return "wait";
  try {
    const machines = await provider.launch(intentOf(world, cluster, resources, hosts));
    await nameMachines(world, cluster, machines);
  } catch (error) {
    if (error instanceof MusterError && error.code !== "busy" && error.code !== "unavailable")
      return refused(world, next as In<"launching">, error);
    // Of a call that was certainly not made nothing can come: it leaves no doubt behind.
    const isBusy = error instanceof MusterError && error.code === "busy";
    await release(world, next as In<"launching">, isBusy ? cluster.launch : sent);
    throw error;
  }
  return answered(world, next as In<"launching">, provider, spec);
}

/** Why no call is to go out any more. Disks that were moved are the cluster's own: no image has a part in it. */
async function obstacleTo(
  world: World,
  cluster: In<"launching">,
  resources: Choice,
): Promise<Cluster.Failure | undefined> {
  if (world.clock.now() > cluster.changedAt + LAUNCH_WITHIN) return UNANSWERED;
  return cluster.snapshotOf === undefined ? whyGone(world, cluster.workspace, resources) : undefined;
}

/** From snapshots each host is a call of its own. */
const callsFor = ({ snapshotOf }: In<"launching">, hosts: number): number => (snapshotOf === undefined ? 1 : hosts);

/** Others are launching: this one's turn comes. */
async function later(world: World, cluster: In<"launching">, wait: number): Promise<Outcome> {
  const dueAt = world.clock.now() + wait;
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write]);
  return "wait";
}

/** Whether nobody may call now: somebody else is at it, or an earlier call may still land. */
export const isHeld = (launch: Cluster.Launch, now: number): boolean =>
  Math.max(launch.leaseUntil ?? 0, launch.answered ? (launch.doubtUntil ?? 0) : 0) > now;

/** The intent with the lease taken. What was sent before and never answered stays in doubt. */
function sending(launch: Cluster.Launch, now: number, { unknown }: { readonly unknown: number }): Cluster.Launch {
  const { answeredAt: _, ...rest } = launch;
  const doubtUntil = launch.sentAt === undefined || launch.answered ? launch.doubtUntil : launch.sentAt + unknown;
  return {
    ...rest,
    sentAt: now,
    answered: false,
    leaseUntil: now + LEASE,
    ...(doubtUntil !== undefined && { doubtUntil }),
  };
}

/** Epoch ms from which an empty observation means that nothing of this launch is there, or will be. */
export function certainAt(
  launch: Cluster.Launch | undefined,
  { settle, unknown }: { readonly settle: number; readonly unknown: number },
): number {
  // The machines of the groups before may not show yet either, whatever has become of this one's call.
  const made = launch?.madeAt === undefined ? 0 : launch.madeAt + settle;
  const { sentAt, answered, answeredAt = sentAt, doubtUntil = 0 } = launch ?? {};
  if (answeredAt === undefined) return made;
  if (answered) return Math.max(made, answeredAt + settle, doubtUntil);
  return Math.max(made, (sentAt ?? answeredAt) + unknown);
}

const intentOf = (world: World, cluster: In<"launching">, resources: Choice, hosts: readonly Host.Host[]): Intent => ({
  workspace: cluster.workspace,
  clusterId: cluster.id,
  generation: cluster.generation,
  try: cluster.launch.try,
  group: groupsOf(cluster)[Cluster.atGroup(cluster.launch)]?.name ?? "",
  offer: cluster.launch.offer,
  label: { cluster: cluster.name, owner: cluster.owner },
  resources,
  onPowerOff: powerOffOf(cluster.idle),
  ...(cluster.snapshotOf !== undefined && { move: cluster.snapshotOf }),
  hosts: hosts.map(host => ({
    hostId: host.id,
    rank: host.rank,
    enrollmentToken: enrollmentToken(world.digest, { ...host, hostId: host.id }),
  })),
});

/** The same intent is sent again soon: it makes nothing twice. @param launch what is known of it now */
async function release(world: World, sent: In<"launching">, launch: Cluster.Launch): Promise<void> {
  const again = world.clock.now() + RESEND;
  const { write } = amend<Cluster.Cluster>(Cluster.noun, sent, {
    launch: { ...launch, leaseUntil: again },
    dueAt: again,
  });
  try {
    await world.table.write([write]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** The call answered: the machines of its group are there. */
const answered = (
  world: World,
  sent: In<"launching">,
  provider: MachineProvider,
  spec: Cluster.Spec,
): Promise<Outcome> =>
  retrying(async () => {
    const cluster = await load(world.table, Cluster.noun, Keys.cluster(sent.workspace, sent.id));
    if (cluster === undefined || !isSameTry(cluster, sent)) return "again";
    // By another call of the same intent: what it made has started, and costs, since then.
    if (cluster.launch.answered && cluster.launch.sentAt === undefined) return "again";
    const now = world.clock.now();
    const launch = settled(cluster.launch, now);
    const made = [...(launch.made ?? []), { ...launch.offer, try: launch.try }];
    if (cluster.state === "draining") {
      const { share, writes } = await afford(world, cluster, { hourly: costOf(cluster, made), machines: "start" });
      await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { launch, ...share }).write, ...writes]);
      return "again";
    }
    if (made.length < groupsOf(cluster).length)
      return nextGroup(world, cluster as In<"launching">, { try: launch.try, made, madeAt: now }, launch);
    const bootBy = now + provider.capabilities.boot;
    const restarted = cluster.snapshotOf !== undefined || undefined;
    const { share, writes } = await afford(world, cluster, { hourly: costOf(cluster, made), machines: "start" });
    const patch = { launch, bootBy, dueAt: bootBy, restarted, spot: isSpot(cluster, spec, made), ...share };
    const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "launched", patch);
    await world.table.write([...move.writes, ...writes]);
    return "again";
  });

/** The same token never makes other machines: whatever was in doubt is over, and when it was sent says nothing any more. */
function settled(launch: Cluster.Launch, now: number): Cluster.Launch {
  const { leaseUntil: _, doubtUntil: __, sentAt: ___, madeAt = 0, ...known } = launch;
  return { ...known, answered: true, answeredAt: Math.max(now, madeAt) };
}

/** Now that all of its machines are chosen: whether any was asked for as a spot machine. */
const isSpot = (cluster: Cluster.Cluster, spec: Cluster.Spec, kinds: readonly Cluster.Kind[]): true | undefined =>
  kinds.some((kind, index) => chosenOf(groupOf(cluster, spec, index), kind).spot === true) || undefined;
