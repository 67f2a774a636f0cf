/** A ready cluster: starts what waits, notices machines that are gone, and stops or ends when it has been idle for long. */
import * as Actor from "../../actor/actor.ts";
import { schedule } from "../../job/schedule.ts";
import * as Keys from "../../keys.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { deadline, type Idle } from "../idle.ts";
import { READY_CHECK } from "../register.ts";
import * as Slots from "../slots.ts";
import { fail } from "./fail.ts";
import { certainAt, providerOf } from "./launch.ts";
import type { In, Outcome } from "./step.ts";

export async function ready(world: World, cluster: In<"ready">): Promise<Outcome> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  await schedule(world, ref);
  const now = world.clock.now();
  if (cluster.dueAt > now) return "wait";
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  const runs = slots !== undefined && Slots.busy(slots).length > 0;
  const amiss = await lookAtMachines(world, cluster, runs);
  if (amiss !== undefined) return amiss;
  const busy = runs || (await hasQueue(world, cluster));
  const since = busy || slots === undefined ? now : slots.idleSince;
  const endAt = deadline(cluster.idle, since);
  if (endAt !== undefined && endAt <= now && cluster.idle !== "never") return act(world, cluster, cluster.idle);
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { dueAt: endAt ?? now + READY_CHECK }).write]);
  return "wait";
}

/** @returns what was done about machines that are not as they should be; undefined when all is well. */
async function lookAtMachines(world: World, cluster: In<"ready">, runs: boolean): Promise<Outcome | undefined> {
  const provider = providerOf(world, cluster);
  const machines = await provider.observe({ workspace: cluster.workspace, clusterId: cluster.id });
  if (!runs && machines.some(machine => machine.state === "stopped")) return follow(world, cluster);
  const certain = world.clock.now() >= certainAt(cluster.launch, provider.capabilities);
  const gone = certain ? cluster.nodes - machines.length : 0;
  return gone > 0 && (!runs || gone === cluster.nodes) ? broken(world, cluster, gone) : undefined;
}

/** Some of its machines are gone: a job that wants all of them would wait for ever. What still runs a job is left alone. */
const broken = (world: World, cluster: In<"ready">, gone: number): Promise<Outcome> =>
  fail(world, cluster, {
    code: "machines_lost",
    message: `${gone} of its ${cluster.nodes} machines ${gone === 1 ? "is" : "are"} gone`,
    hint: "launch again",
  });

/** Its machines were stopped by somebody else, or by a stop that landed late: the record follows them. */
async function follow(world: World, cluster: In<"ready">): Promise<Outcome> {
  const why = { message: "its machines were stopped from outside" };
  const patch = { dueAt: world.clock.now(), byPolicy: true };
  const actor = Actor.system(cluster.workspace);
  await world.table.write(advance(world, Cluster.kind, actor, cluster, "stop", patch, why).writes);
  return "again";
}

export async function hasQueue(world: World, cluster: Cluster.Cluster): Promise<boolean> {
  const { pk } = Keys.cluster(cluster.workspace, cluster.id);
  return (await world.table.query({ pk, prefix: "Q#", limit: 1 })).items.length > 0;
}

async function act(world: World, cluster: In<"ready">, idle: Exclude<Idle, "never">): Promise<Outcome> {
  const now = world.clock.now();
  const why = { message: `no job ran for ${idle.after} minutes` };
  const actor = Actor.system(cluster.workspace);
  const move =
    idle.action === "stop"
      ? advance(world, Cluster.kind, actor, cluster, "stop", { dueAt: now, byPolicy: true }, why)
      : advance(world, Cluster.kind, actor, cluster, "remove", { dueAt: now, drainingSince: now }, why);
  await world.table.write(move.writes);
  return "again";
}
