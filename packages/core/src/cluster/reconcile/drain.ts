/**
 * draining → terminated, or failed when a failure is recorded; a managed job's cluster may be made anew instead.
 *
 * Lifecycle: cancel the jobs, give them a moment, run what the policy has to be run before an end by it, terminate every machine that bears the cluster's tag, and ask again
 * until none is left. Nothing ever gives up here.
 *
 * Gotcha: an empty answer proves nothing while a launch may still land. A call that answered is visible after the
 * provider's `settle`; one that never answered may land until `unknown` has passed since it was last sent.
 *
 * Gotcha: machines cost money, records do not. When the jobs' moment is over the machines are ended whatever the
 * bookkeeping says; but the cluster is not called ended before its jobs are.
 */
import * as Actor from "../../actor/actor.ts";
import * as Host from "../../host/host.ts";
import * as Keys from "../../keys.ts";
import type { MachineProvider, MoveRef } from "../../ports/provider.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { advance } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { hostsOf } from "../register.ts";
import { afford } from "./afford.ts";
import { hook } from "./hook.ts";
import { cancelQueued, cancelRunning, closeRunning, JOB_GRACE } from "./jobs.ts";
import { later } from "./later.ts";
import { certainAt } from "./launch.ts";
import { providerOf } from "./provider.ts";
import { endTry, renew } from "./renew.ts";
import type { In, Outcome } from "./step.ts";

/** How often a drain looks again, in ms. */
const LOOK = 5_000;

/** How long machines may take to end before somebody should know, in ms. */
const DRAIN_WITHIN = 1_800_000;

/** How long machines may refuse to be ended before somebody should know, in ms: three sweeps after the jobs' moment. */
const OBEY_WITHIN = JOB_GRACE + 3 * 60_000;

const REMOVED = "the cluster was removed";

export async function drain(world: World, cluster: In<"draining">): Promise<Outcome> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const now = world.clock.now();
  const running = await endJobs(world, cluster);
  if (running > 0 && now < cluster.drainingSince + JOB_GRACE) return later(world, cluster, now + LOOK);
  const hooked = await hook(world, cluster);
  if (hooked) return hooked;
  const provider = providerOf(world, cluster);
  if ((await endMachines(world, cluster)) > 0) return later(world, cluster, now + LOOK);
  const certain = certainAt(cluster.launch, provider.capabilities);
  if (now < certain) return later(world, cluster, Math.min(certain, now + 6 * LOOK));
  if (await hasSnapshots(world, cluster)) return later(world, cluster, now + 6 * LOOK);
  if (cluster.renew) return renew(world, cluster);
  await cancelQueued(world, ref, REMOVED, cluster.failure);
  await closeRunning(world, ref, "the cluster was removed while it ran", cluster.failure);
  await endHosts(world, cluster);
  return finish(world, cluster);
}

/** @returns how many are left. Somebody is told when that goes on for long, also when nobody can be asked. */
async function endMachines(world: World, cluster: In<"draining">): Promise<number> {
  const provider = providerOf(world, cluster);
  const waited = world.clock.now() - cluster.drainingSince;
  // Machines may take long to end. That they are not even told to is never as it should be.
  let patience = DRAIN_WITHIN;
  try {
    const machines = await its(provider, cluster);
    if (machines.length === 0) return 0;
    patience = OBEY_WITHIN;
    await provider.terminate(machines.map(machine => machine.machineId));
    patience = DRAIN_WITHIN;
    const left = (await its(provider, cluster)).length;
    if (left > 0 && waited > patience) tellOfDrain(world, cluster, `${left} are left`);
    return left;
  } catch (error) {
    if (waited > patience) tellOfDrain(world, cluster, String(error));
    throw error;
  }
}

/** Up to the generation on record: whoever stood still in here must not end the machines of a cluster that was made anew. */
const its = async (provider: MachineProvider, { workspace, id, generation }: In<"draining">) =>
  (await provider.observe({ workspace, clusterId: id })).filter(machine => machine.generation <= generation);

/**
 * Whether snapshots of it are left; they are told to go. What cannot be deleted keeps no cluster from its end for long: the
 * sweep goes on.
 */
async function hasSnapshots(world: World, cluster: In<"draining">): Promise<boolean> {
  const provider = providerOf(world, cluster);
  if (cluster.moves === undefined || world.clock.now() > cluster.drainingSince + DRAIN_WITHIN) return false;
  const isIts = ({ workspace, clusterId }: MoveRef) => workspace === cluster.workspace && clusterId === cluster.id;
  try {
    const left = (await provider.snapshots?.())?.filter(isIts) ?? [];
    for (const ref of left) await provider.deleteSnapshots?.(ref);
    return left.length > 0;
  } catch (error) {
    world.log.error("snapshots could not be deleted yet", { cluster: cluster.id, reason: String(error) });
    return true;
  }
}

function tellOfDrain(world: World, { id, drainingSince }: In<"draining">, reason: string): void {
  world.log.error("a cluster's machines do not end", { cluster: id, reason, since: drainingSince });
  world.log.count?.("DrainingTooLong", 1);
}

/** @returns how many jobs still hold hosts; 0 when their moment is over and that could not be found out. */
async function endJobs(world: World, cluster: In<"draining">): Promise<number> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  try {
    if (cluster.renew) return await endTry(world, cluster);
    await cancelQueued(world, ref, REMOVED, cluster.failure);
    return await cancelRunning(world, ref, REMOVED, cluster.failure);
  } catch (error) {
    if (world.clock.now() < cluster.drainingSince + JOB_GRACE) throw error;
    world.log.error("the jobs of a draining cluster could not be ended yet", {
      cluster: cluster.id,
      reason: String(error),
    });
    return 0;
  }
}

async function endHosts(world: World, cluster: In<"draining">): Promise<void> {
  const endedAt = world.clock.now();
  for (const host of await hostsOf(world.table, { workspace: cluster.workspace, clusterId: cluster.id })) {
    if (host.state === "gone") continue;
    await world.table.write(
      advance(world, Host.kind, Actor.system(cluster.workspace), host, "end", { endedAt }).writes,
    );
  }
}

async function finish(world: World, cluster: In<"draining">): Promise<Outcome> {
  const name = await world.table.get(Keys.clusterName(cluster.workspace, cluster.name));
  const mine = name?.data.clusterId === cluster.id;
  const unlock: Write[] = name && mine ? [{ remove: name, expect: name.version }] : [];
  const { share, writes: given } = await afford(world, cluster, { takes: 0, holds: null, hourly: 0, machines: "end" });
  const event = cluster.failure === undefined ? "gone" : "gone_failed";
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, event, {
    endedAt: world.clock.now(),
    ...share,
  });
  await world.table.write([...move.writes, ...unlock, ...given]);
  return "wait";
}
