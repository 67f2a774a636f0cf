/** stopping → stopped, and starting → booting: the machines' power, with their disks kept. */
import * as Actor from "../../actor/actor.ts";
import * as Budget from "../../budget/take.ts";
import { MusterError } from "../../error.ts";
import * as Host from "../../host/host.ts";
import type { MachineProvider } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { RESTS } from "../../quota/quota.ts";
import { advance, amend } from "../../record.ts";
import { starting } from "../change.ts";
import * as Cluster from "../cluster.ts";
import { freeFrom, stoppedDeadline } from "../idle.ts";
import { hostsOf, READY_CHECK } from "../register.ts";
import * as Slots from "../slots.ts";
import { afford, restingRate, runningRate } from "./afford.ts";
import { fail, failureOf } from "./fail.ts";
import { hook } from "./hook.ts";
import { hasQueue } from "./idle.ts";
import { cancelQueued, cancelRunning, closeRunning, JOB_GRACE } from "./jobs.ts";
import { later } from "./later.ts";
import { certainAt } from "./launch.ts";
import { providerOf } from "./provider.ts";
import { RETRY, stay } from "./stay.ts";
import type { In, Outcome } from "./step.ts";

/** How often a stop or a start looks again, in ms. */
const LOOK = 5_000;

/** How long a start may go on failing before the cluster is called stopped again, in ms. */
const START_WITHIN = 600_000;

/** How often it is tried by itself before the jobs are told that it is no use. */
const MOST_RESTARTS = 3;

const BOOT_TIMEOUT: Cluster.Failure = {
  code: "boot_timeout",
  message: "not all hosts called home in time",
  hint: "try again: muster start",
};

export async function stop(world: World, cluster: In<"stopping">): Promise<Outcome> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const now = world.clock.now();
  const running = await cancelRunning(world, ref, "the cluster was stopped");
  if (running > 0 && now < cluster.changedAt + JOB_GRACE) return later(world, cluster, now + LOOK);
  const hooked = await hook(world, cluster);
  if (hooked) return hooked;
  const provider = providerOf(world, cluster);
  const refused = await refusalOf(provider.stop(ref));
  if (refused) return fail(world, cluster, failureOf(refused));
  const machines = await provider.observe(ref);
  if (machines.some(machine => machine.state !== "stopped")) return later(world, cluster, now + LOOK);
  // Some may not show yet, and run.
  const isWhole = machines.length >= cluster.nodes;
  if (!isWhole && now < certainAt(cluster.launch, provider.capabilities)) return later(world, cluster, now + LOOK);
  if (machines.length === 0) return fail(world, cluster, { code: "machines_lost", message: "its machines are gone" });
  await closeRunning(world, ref, "the cluster was stopped while it ran");
  await restHosts(world, cluster);
  return stopped(world, cluster);
}

/** Machines that can never be stopped must not be paid for while somebody tries. */
async function refusalOf(stop: Promise<void>): Promise<MusterError | undefined> {
  try {
    await stop;
    return undefined;
  } catch (error) {
    if (error instanceof MusterError && error.code === "unsupported") return error;
    throw error;
  }
}

/** The slots keep no hosts: when those are back they see that they are not registered, and ask for it. */
async function stopped(world: World, cluster: In<"stopping">): Promise<Outcome> {
  const now = world.clock.now();
  const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
  // No hosts: it was started, and never got ready.
  const wasReady = slots !== undefined && slots.hosts.length > 0;
  const failure = cluster.byPolicy && !wasReady ? BOOT_TIMEOUT : undefined;
  // What stands still costs no machine hours.
  const rests = { takes: 0, holds: RESTS, hourly: restingRate(cluster), machines: "end" } as const;
  const { share, writes: given } = await afford(world, cluster, rests);
  const patch = { failure, ...share, dueAt: failure ? now + RETRY : now };
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "stopped", patch);
  const empty = slots ? [amend(Slots.noun, slots, { hosts: [] }).write] : [];
  await world.table.write([...move.writes, ...empty, ...given]);
  return "again";
}

/** The hosts are expected again: they keep their tokens, and call when they are started. */
async function restHosts(world: World, cluster: In<"stopping">): Promise<void> {
  for (const host of await hostsOf(world.table, { workspace: cluster.workspace, clusterId: cluster.id }))
    if (host.state === "up" || host.state === "lost")
      await world.table.write(advance(world, Host.kind, Actor.system(cluster.workspace), host, "rest").writes);
}

export async function start(world: World, cluster: In<"starting">): Promise<Outcome> {
  const provider = providerOf(world, cluster);
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const now = world.clock.now();
  try {
    const gone = await missing(world, cluster);
    if (gone > 0) return stranded(world, cluster, gone);
    await provider.start(ref);
  } catch (error) {
    const failure = startFailure(error, provider);
    if (failure.code !== "no_capacity" && now < (cluster.startBy ?? cluster.changedAt + START_WITHIN)) throw error;
    return stay(world, cluster, failure);
  }
  const bootBy = now + provider.capabilities.boot;
  const { share, writes } = await afford(world, cluster, { hourly: runningRate(cluster), machines: "start" });
  const patch = { bootBy, dueAt: bootBy, restarted: true, ...share };
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "started", patch);
  await world.table.write([...move.writes, ...writes]);
  return "again";
}

/** How many of its machines are gone for good: with fewer it would never be ready. */
async function missing(world: World, cluster: In<"starting">): Promise<number> {
  const provider = providerOf(world, cluster);
  if (world.clock.now() < certainAt(cluster.launch, provider.capabilities)) return 0;
  const machines = await provider.observe({ workspace: cluster.workspace, clusterId: cluster.id });
  return cluster.nodes - machines.filter(machine => machine.state !== "terminating").length;
}

/** While some of its disks are left, they are kept. */
function stranded(world: World, cluster: In<"starting">, gone: number): Promise<Outcome> {
  const { nodes, name } = cluster;
  if (gone >= nodes) return fail(world, cluster, { code: "machines_lost", message: "its machines are gone" });
  const message = `${gone} of its ${nodes} machines ${gone === 1 ? "is" : "are"} gone`;
  const hint = `the disks of the others are kept; end it with: muster down ${name}`;
  return stay(world, cluster, { code: "machines_lost", message, hint });
}

function startFailure(error: unknown, { capabilities }: MachineProvider): Cluster.Failure {
  if (!(error instanceof MusterError && error.code === "no_capacity"))
    return { code: "start_failed", message: "its machines could not be started in time", hint: LATER };
  const hint = capabilities.move ? `${LATER}; or elsewhere: muster start --move` : LATER;
  return { code: error.code, message: error.message, hint };
}

const LATER = "try again later: muster start";

/**
 * Jobs that wait start it again, unless somebody stopped it by hand. Else its policy may end it; without one it is looked
 * at now and then.
 */
export async function rest(world: World, cluster: In<"stopped">): Promise<Outcome> {
  const now = world.clock.now();
  // What a pool keeps, the pool starts.
  const mayStart = cluster.byPolicy && cluster.pool === undefined;
  if (mayStart && (await hasQueue(world, cluster))) return startAgain(world, cluster);
  const endAt = unheld(cluster, stoppedDeadline(Cluster.policyOf(cluster), cluster.changedAt));
  if (endAt !== undefined && endAt <= now) {
    // A start that failed long ago is not why it ends.
    const patch = { failure: undefined, dueAt: now, drainingSince: now };
    const why = { message: "it was stopped for as long as its idle policy allows" };
    await world.table.write(
      advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "remove", patch, why).writes,
    );
    return "again";
  }
  const dueAt = endAt ?? now + READY_CHECK;
  if (cluster.dueAt > now) return "wait";
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write]);
  return "wait";
}

/** Whoever holds it keeps its disks as well. */
const unheld = ({ hold }: Cluster.Cluster, endAt: number | undefined): number | undefined =>
  endAt === undefined ? undefined : freeFrom({ hold }, endAt);

/** At once; or, when that has failed before, after a while; and not for ever: a host that is broken would be paid for. */
async function startAgain(world: World, cluster: In<"stopped">): Promise<Outcome> {
  const now = world.clock.now();
  // Waiting for capacity costs nothing; machines that run and do not call home do, and those of a move that found too few.
  const isFree = cluster.failure?.code === "no_capacity" && cluster.snapshotOf === undefined;
  const restarts = (cluster.restarts ?? 0) + (isFree ? 0 : 1);
  if (restarts > MOST_RESTARTS) {
    const ref = { workspace: cluster.workspace, clusterId: cluster.id };
    await cancelQueued(world, ref, "its cluster could not be started", cluster.failure);
    return "again";
  }
  if ((cluster.failure === undefined || cluster.dueAt <= now) && (await restart(world, cluster, restarts)))
    return "again";
  const dueAt = now + RETRY;
  if (cluster.dueAt > dueAt || cluster.dueAt <= now)
    await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt }).write]);
  return "wait";
}

/** @returns false when the budget does not allow it now. */
async function restart(world: World, cluster: In<"stopped">, restarts: number): Promise<boolean> {
  try {
    const { writes } = await starting(world, Actor.system(cluster.workspace), cluster, { restarts });
    await world.table.write(writes);
    return true;
  } catch (error) {
    if (Budget.isRefusal(error)) return false;
    throw error;
  }
}
