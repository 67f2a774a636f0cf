/**
 * booting → ready, or, when the machines do not call home in time: stopped again when their disks matter, else failed. Where
 * the disks are snapshots still, or the cluster grows, `fail` leads back to what there was.
 */
import * as Actor from "../../actor/actor.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { register } from "../register.ts";
import { fail } from "./fail.ts";
import { certainAt } from "./launch.ts";
import { providerOf } from "./provider.ts";
import type { In, Outcome } from "./step.ts";

export async function boot(world: World, cluster: In<"booting">): Promise<Outcome> {
  if (await register(world, { workspace: cluster.workspace, clusterId: cluster.id })) return "again";
  if (world.clock.now() < cluster.bootBy) return lookAtMachines(world, cluster);
  const message = "not all hosts called home in time";
  if (!cluster.restarted || cluster.snapshotOf !== undefined) {
    const hint = "see the hosts' own logs, or launch again";
    return fail(world, cluster, { code: "boot_timeout", message: await withWhy(world, cluster, message), hint });
  }
  const move = advance(
    world,
    Cluster.kind,
    Actor.system(cluster.workspace),
    cluster,
    "stop",
    // Nobody stopped it by hand: the jobs that wait for it start it again.
    { dueAt: world.clock.now(), byPolicy: true },
    { message },
  );
  await world.table.write(move.writes);
  return "again";
}

/** How long machines must not show before they count as gone, in ms: one look that misses them proves nothing. */
const MISSING = 60_000;

/** Machines that have ended will not call, and are not waited for. */
async function lookAtMachines(world: World, cluster: In<"booting">): Promise<Outcome> {
  const provider = providerOf(world, cluster);
  const now = world.clock.now();
  const isKept = cluster.restarted && cluster.snapshotOf === undefined;
  if (isKept || now < certainAt(cluster.launch, provider.capabilities)) return "wait";
  const machines = await provider.observe({ workspace: cluster.workspace, clusterId: cluster.id });
  const gone = cluster.nodes - machines.filter(machine => machine.state !== "terminating").length;
  const since = cluster.suspectedAt ?? now;
  if (gone <= 0 || now - since < MISSING) return suspect(world, cluster, gone > 0 ? since : undefined);
  const message = await withWhy(world, cluster, `${gone} of its ${cluster.nodes} machines ended while they booted`);
  return fail(world, cluster, { code: "machines_lost", message, hint: "launch again" });
}

async function suspect(world: World, cluster: In<"booting">, suspectedAt: number | undefined): Promise<Outcome> {
  if (suspectedAt === cluster.suspectedAt) return "wait";
  const dueAt = suspectedAt === undefined ? cluster.bootBy : Math.min(suspectedAt + MISSING, cluster.bootBy);
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { suspectedAt, dueAt }).write]);
  return "wait";
}

/** Most characters of what the provider has to say. */
const MOST = 400;

async function withWhy(world: World, cluster: In<"booting">, message: string): Promise<string> {
  try {
    const said = await providerOf(world, cluster).why?.({ workspace: cluster.workspace, clusterId: cluster.id });
    return said === undefined || said.length === 0 ? message : `${message}: ${said.join("; ").slice(-MOST)}`;
  } catch (error) {
    world.log.error("nobody could say why machines do not boot", { cluster: cluster.id, reason: String(error) });
    return message;
  }
}
