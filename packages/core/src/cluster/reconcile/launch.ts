/**
 * launching → booting.
 *
 * Lifecycle: take the lease and store `sentAt` (the intent) → call → record what it answered. One caller at a time holds
 * the lease; when it dies, the next one sends the same intent again and gets the same machines.
 *
 * Gotchas: the cluster may be removed while the call is out. Then what the call made is recorded on the draining cluster,
 * so that draining knows that nothing more can come of it. And a call that never answered may land long after another one
 * was refused: until that is out of the question, there is no other try, or one cluster would have two sets of machines.
 */
import * as Actor from "../../actor/actor.ts";
import * as Throttle from "../../capacity/throttle.ts";
import { retrying } from "../../commit.ts";
import { MusterError } from "../../error.ts";
import * as Host from "../../host/host.ts";
import { enrollmentToken } from "../../host/token.ts";
import * as Keys from "../../keys.ts";
import type { Intent, Machine, MachineProvider } from "../../ports/provider.ts";
import { type Write, WriteConflict } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend, load, type Stored, UNWRITTEN } from "../../record.ts";
import type { Resources } from "../../task/task.ts";
import * as Cluster from "../cluster.ts";
import { resourcesOf } from "./plan.ts";
import { providerOf } from "./provider.ts";
import { isSameTry, refused } from "./refuse.ts";
import type { In, Outcome } from "./step.ts";

/** How long one caller may be alone in launching, in ms; longer than any launch call takes. */
export const LEASE = 60_000;

/** How soon after a call that failed without an answer the same intent is sent again, in ms. */
const RESEND = 5_000;

export async function launch(world: World, cluster: In<"launching">): Promise<Outcome> {
  if (isHeld(cluster.launch, world.clock.now())) return "wait";
  const provider = providerOf(world, cluster);
  const resources = await resourcesOf(world, cluster);
  const hosts = await expectHosts(world, cluster);
  if (hosts === undefined) return "again";
  const queue = await Throttle.take(world, provider);
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
    await release(world, next as In<"launching">);
    throw error;
  }
  await answered(world, next as In<"launching">, provider);
  return "again";
}

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
  if (launch?.sentAt === undefined) return 0;
  if (!launch.answered) return launch.sentAt + unknown;
  return Math.max((launch.answeredAt ?? launch.sentAt) + settle, launch.doubtUntil ?? 0);
}

/**
 * The hosts of this try, on record before any machine is; written only while the cluster is as it was read.
 * @returns undefined when they are of a later try already: somebody else is ahead.
 */
async function expectHosts(world: World, cluster: In<"launching">): Promise<Stored<Host.Host>[] | undefined> {
  const hosts: Stored<Host.Host>[] = [];
  for (let rank = 0; rank < cluster.nodes; rank++) {
    const host = await expectHost(world, cluster, rank);
    if (host === undefined) return undefined;
    hosts.push(host);
  }
  return hosts;
}

async function expectHost(
  world: World,
  cluster: In<"launching">,
  rank: number,
): Promise<Stored<Host.Host> | undefined> {
  const found = await load(world.table, Host.noun, Keys.host(cluster.workspace, cluster.id, rank));
  const of = { generation: cluster.generation, try: cluster.launch.try };
  if (found?.generation === of.generation && found.try === of.try) return found;
  if (found && (found.generation > of.generation || found.try > of.try)) return undefined;
  const { next, writes } = renewed(world, found ?? unwritten(world, cluster, rank), of);
  await world.table.write([...writes, { check: Cluster.noun.key(cluster), expect: cluster.version }]);
  return next;
}

/** The host of a new try. A machine of the try before may have called already: its token is good no more. */
function renewed(
  world: World,
  host: Stored<Host.Host>,
  of: Pick<Host.Host, "generation" | "try">,
): { next: Stored<Host.Host>; writes: readonly Write[] } {
  const patch = { ...of, machineId: undefined, tokenHash: undefined, facts: undefined };
  if (host.state === "up" || host.state === "lost")
    return advance(world, Host.kind, Actor.system(host.workspace), host, "rest", patch);
  const { next, write } = amend<Host.Host>(Host.noun, host, patch);
  return { next, writes: [write] };
}

function unwritten(world: World, cluster: In<"launching">, rank: number): Stored<Host.Host> {
  const now = world.clock.now();
  return {
    id: Host.idOf(cluster.id, rank),
    workspace: cluster.workspace,
    clusterId: cluster.id,
    rank,
    generation: cluster.generation,
    try: cluster.launch.try,
    createdAt: now,
    changedAt: now,
    state: "expected",
    version: UNWRITTEN,
    rest: {},
  };
}

const intentOf = (
  world: World,
  cluster: In<"launching">,
  resources: Resources,
  hosts: readonly Host.Host[],
): Intent => ({
  workspace: cluster.workspace,
  clusterId: cluster.id,
  generation: cluster.generation,
  try: cluster.launch.try,
  offer: cluster.launch.offer,
  label: { cluster: cluster.name, owner: cluster.owner },
  resources,
  onPowerOff: cluster.idle === "never" || cluster.idle.action === "stop" ? "stop" : "terminate",
  hosts: hosts.map(host => ({
    hostId: host.id,
    rank: host.rank,
    enrollmentToken: enrollmentToken(world.digest, { ...host, hostId: host.id }),
  })),
});

async function nameMachines(world: World, cluster: In<"launching">, machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) {
    const place = Host.parseId(machine.hostId);
    if (place === undefined) continue;
    await retrying(async () => {
      const host = await load(world.table, Host.noun, Keys.host(cluster.workspace, cluster.id, place.rank));
      if (host?.try !== machine.try || host.machineId === machine.machineId) return;
      await world.table.write([amend<Host.Host>(Host.noun, host, { machineId: machine.machineId }).write]);
    });
  }
}

/** Nobody knows what the call did. The same intent is sent again soon: it makes nothing twice. */
async function release(world: World, sent: In<"launching">): Promise<void> {
  const again = world.clock.now() + RESEND;
  const { write } = amend<Cluster.Cluster>(Cluster.noun, sent, {
    launch: { ...sent.launch, leaseUntil: again },
    dueAt: again,
  });
  try {
    await world.table.write([write]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** The call answered: the machines are there. */
async function answered(world: World, sent: In<"launching">, provider: MachineProvider): Promise<void> {
  await retrying(async () => {
    const cluster = await load(world.table, Cluster.noun, Keys.cluster(sent.workspace, sent.id));
    if (cluster === undefined || !isSameTry(cluster, sent)) return;
    // The same token never makes other machines: whatever was in doubt is settled.
    const { leaseUntil: _, doubtUntil: __, ...known } = cluster.launch;
    const launch = { ...known, answered: true, answeredAt: world.clock.now() };
    if (cluster.state === "draining")
      return world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { launch }).write]);
    const bootBy = world.clock.now() + provider.capabilities.boot;
    const patch = { launch, bootBy, dueAt: bootBy, restarted: false };
    const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "launched", patch);
    await world.table.write(move.writes);
  });
}
