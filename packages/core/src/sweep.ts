/** Sweeps: what is due is reconciled, and machines that nobody owns die. The guarantee behind every doorbell and event. */
import * as Cluster from "./cluster/cluster.ts";
import { answerDue } from "./doorbell.ts";
import * as Keys from "./keys.ts";
import type { Machine, MachineProvider } from "./ports/provider.ts";
import type { Sighting } from "./ports/table.ts";
import type { World } from "./ports/world.ts";
import { load } from "./record.ts";

/** Due items that one sweep of one shard takes at most. */
const PER_SHARD = 200;

/** @returns how many things were due. One that fails does not keep the others from being looked at. */
export async function sweepDue(world: World): Promise<number> {
  const now = world.clock.now();
  const shards = await Promise.all(Array.from({ length: Keys.DUE_SHARDS }, (_, shard) => dueIn(world, shard, now)));
  const due = shards.flat();
  for (const sighting of due) {
    try {
      await answerDue(world, sighting);
    } catch (error) {
      world.log.error("a due reconciliation failed", { item: sighting.pk, reason: String(error) });
    }
  }
  return due.length;
}

async function dueIn(world: World, shard: number, now: number): Promise<readonly Sighting[]> {
  // `~` sorts after the digits and the separator: everything due up to now, whatever it belongs to.
  const upTo = `${Keys.dueSort(now)}~`;
  return (await world.table.query({ pk: Keys.duePartition(shard), index: "due", upTo, limit: PER_SHARD })).items;
}

/**
 * Terminates machines that no record owns, and stops those that run though their cluster is stopped. The cloud is listed
 * first, so that the records are never older than the machines.
 */
export async function sweepOrphans(world: World): Promise<string[]> {
  const killed: string[] = [];
  for (const provider of world.providers.values()) {
    const machines = await provider.sweep();
    const orphans: Machine[] = [];
    for (const machine of machines) {
      const cluster = await load(world.table, Cluster.noun, Keys.cluster(machine.workspace, machine.clusterId));
      if (!isOwned(cluster, machine)) orphans.push(machine);
      else if (cluster?.state === "stopped" && runs(machine)) await rest(world, provider, machine);
    }
    killed.push(...(await end(world, provider, orphans)));
  }
  return killed;
}

const runs = (machine: Machine): boolean => machine.state === "running" || machine.state === "pending";

/** A start that landed late, or somebody else's: its cluster costs what it should not. */
async function rest(world: World, provider: MachineProvider, machine: Machine): Promise<void> {
  world.log.error("a machine of a stopped cluster runs", { provider: provider.name, machine: machine.machineId });
  await provider.stop({ workspace: machine.workspace, clusterId: machine.clusterId });
}

async function end(world: World, provider: MachineProvider, orphans: readonly Machine[]): Promise<string[]> {
  if (orphans.length === 0) return [];
  const ids = orphans.map(machine => machine.machineId);
  world.log.error("machines without an owner are terminated", { provider: provider.name, machines: ids });
  await provider.terminate(ids);
  return ids;
}

/** Owned: its cluster lives, and is of the machine's generation and try. A draining cluster ends its machines itself. */
function isOwned(cluster: Cluster.Cluster | undefined, machine: Machine): boolean {
  if (cluster === undefined || Cluster.isOver(cluster)) return false;
  if (cluster.state === "draining") return true;
  const current = "launch" in cluster ? cluster.launch?.try : undefined;
  return cluster.generation === machine.generation && current === machine.try;
}
