/** A ready cluster: starts what waits, notices machines that are gone, and stops or ends when it has been idle for long. */
import * as Actor from "../../actor/actor.ts";
import { kick } from "../../host/kick.ts";
import { lastCalls, nextLook, runningHosts, silentOf } from "../../host/silence.ts";
import { schedule } from "../../job/schedule.ts";
import * as Keys from "../../keys.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { advance, amend, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import * as Hook from "../hook.ts";
import { describe, type Idle, waitsForJobs } from "../idle.ts";
import { hostsOf } from "../register.ts";
import * as Slots from "../slots.ts";
import { release } from "./braked.ts";
import { dueOf, lapsed } from "./due.ts";
import { fail } from "./fail.ts";
import { providerOf } from "./provider.ts";
import { ownerOf } from "./renew.ts";
import type { In, Outcome } from "./step.ts";

export async function ready(world: World, cluster: In<"ready">): Promise<Outcome> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  await schedule(world, ref);
  const now = world.clock.now();
  const isDue = cluster.dueAt <= now;
  if (!isDue && cluster.managedBy === undefined) return "wait";
  const slots = await Slots.get(world.table, ref.workspace, ref.clusterId);
  const runs = slots !== undefined && Slots.busy(slots).length > 0;
  const lost = runs ? [] : lostOf(cluster, slots);
  if (lost.length > 0) return broken(world, cluster, lost, stillOf(slots));
  if (!isDue) return "wait";
  const due = await dueOf(world, cluster, slots);
  if (slots && due.acts) return act(world, cluster, due.idle, slots);
  const amiss = await lookAtHosts(world, cluster, runs);
  if (amiss !== undefined) return amiss;
  const { patch, writes } = lapsed(world, cluster);
  const next = { suspectedAt: undefined, ...patch, ...(!due.acts && { dueAt: due.at }) };
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, next).write, ...writes]);
  return "wait";
}

/** @returns what was done about hosts that are not as they should be; undefined when all is well. */
async function lookAtHosts(world: World, cluster: In<"ready">, runs: boolean): Promise<Outcome | undefined> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const now = world.clock.now();
  const watch = { ...cluster, from: cluster.changedAt };
  const ranks = Array.from({ length: cluster.nodes }, (_, rank) => rank);
  const calls = await lastCalls(world.table, ref);
  const look = (running: ReadonlySet<string>) => silentOf(ranks, watch, { now, calls, running }, cluster.id);
  if (look(new Set()).length === 0) return undefined;
  const machines = await providerOf(world, cluster).observe(ref);
  const silent = look(runningHosts(machines));
  const gone = silent.filter(host => host.gone);
  const isStopped = machines.some(machine => machine.state === "stopped");
  if (gone.length > 0 && (!runs || gone.length === cluster.nodes)) {
    if (isStopped && cluster.managedBy === undefined) return follow(world, cluster);
    const { ranks, writes } = await release(world, cluster, gone, machines);
    if (ranks.length > 0 && (!runs || ranks.length === cluster.nodes)) return broken(world, cluster, ranks, writes);
  }
  const next = nextLook(silent, watch, now);
  if (next === undefined) return undefined;
  await kick(
    world,
    ref,
    silent.map(host => host.rank),
  );
  await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, next).write]);
  return "wait";
}

/** Hosts that a job of the cluster has lost, and that have not called since: others are made for a job that owns it. */
const lostOf = ({ managedBy }: In<"ready">, slots: Slots.Slots | undefined): number[] =>
  managedBy === undefined ? [] : (slots?.hosts ?? []).filter(slot => !slot.up).map(slot => slot.rank);

/** What its slots said: a host may have called again meanwhile. */
const stillOf = (slots: Stored<Slots.Slots> | undefined): readonly Write[] =>
  slots === undefined ? [] : [{ check: Slots.noun.key(slots), expect: slots.version }];

/** Some of its hosts are gone: a job that wants all of them would wait for ever. What still runs a job is left alone. */
async function broken(
  world: World,
  cluster: In<"ready">,
  ranks: readonly number[],
  also: readonly Write[],
): Promise<Outcome> {
  const lost = `${ranks.length} of its ${cluster.nodes} hosts ${ranks.length === 1 ? "is" : "are"} gone`;
  if (!(await wereTaken(world, cluster, ranks)))
    return fail(world, cluster, { code: "hosts_lost", message: lost, hint: "launch again" }, undefined, also);
  const hint = "launch again; machines on demand are not taken back";
  const message = `${lost}: the cloud has taken them back`;
  return fail(world, cluster, { code: "interrupted", message, hint }, undefined, also);
}

/** Whether the cloud has announced the end of one of these hosts' machines. */
async function wereTaken(world: World, { workspace, id }: In<"ready">, ranks: readonly number[]): Promise<boolean> {
  const hosts = await hostsOf(world.table, { workspace, clusterId: id });
  return hosts.some(host => ranks.includes(host.rank) && host.interruptedAt !== undefined);
}

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

/** The slots are checked, not only read: a job that was placed meanwhile is not stopped with its cluster. */
async function act(
  world: World,
  cluster: In<"ready">,
  idle: Exclude<Idle, "never">,
  slots: Stored<Slots.Slots>,
): Promise<Outcome> {
  const now = world.clock.now();
  const why = { message: `its idle policy: ${describe(idle)}` };
  const actor = Actor.system(cluster.workspace);
  // A managed job that is held back, or waits, comes back for others when it may begin.
  const renewal = (await ownerOf(world, cluster))?.state === "waiting" && { renew: true };
  const { patch: ended, writes } = lapsed(world, cluster);
  const patch = { ...ended, ...Hook.awaited(cluster) };
  // Where jobs keep it from nothing, those that wait do not start it again either.
  const stopping = { ...patch, dueAt: now, ...(waitsForJobs(idle) && { byPolicy: true }) };
  const move =
    idle.action === "stop"
      ? advance(world, Cluster.kind, actor, cluster, "stop", stopping, why)
      : advance(
          world,
          Cluster.kind,
          actor,
          cluster,
          "remove",
          { ...patch, dueAt: now, drainingSince: now, ...renewal },
          why,
        );
  const asSeen = waitsForJobs(idle) ? [{ check: Slots.noun.key(slots), expect: slots.version }] : [];
  await world.table.write([...move.writes, ...writes, ...asSeen]);
  return "again";
}
