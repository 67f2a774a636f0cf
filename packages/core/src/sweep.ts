/** Sweeps: what is due is reconciled, and machines that nobody owns die. The guarantee behind every doorbell and event. */
import * as Cluster from "./cluster/cluster.ts";
import { answerDue } from "./doorbell.ts";
import { sweepImages } from "./image/sweep.ts";
import * as Keys from "./keys.ts";
import type { Machine, MachineProvider } from "./ports/provider.ts";
import type { Sighting } from "./ports/table.ts";
import type { World } from "./ports/world.ts";
import { load } from "./record.ts";

/** Due items that one reading of a shard takes. */
const PER_READ = 200;

/** How many due items are looked after at a time: one that hangs until its time is over holds up few others. */
const AT_ONCE = 8;

/** @returns how many things were due. One that fails does not keep the others from being looked at. */
export async function sweepDue(world: World): Promise<number> {
  const now = world.clock.now();
  const shards = Array.from({ length: Keys.DUE_SHARDS }, (_, shard) =>
    surviving(world, "a shard of what is due could not be read", { shard }, () => dueIn(world, shard, now)),
  );
  const due = (await Promise.all(shards)).flatMap(items => items ?? []);
  // One iterator for all of them: each takes the next that nobody has taken.
  const queue = due.values();
  await Promise.all(Array.from({ length: AT_ONCE }, () => answerAll(world, queue)));
  return due.length;
}

async function answerAll(world: World, queue: Iterable<Sighting>): Promise<void> {
  for (const sighting of queue)
    await surviving(world, "a due reconciliation failed", { item: sighting.pk }, () => answerDue(world, sighting));
}

/** To the end: what fails again and again stays at the front, and must not hide what is behind it. */
async function dueIn(world: World, shard: number, now: number): Promise<readonly Sighting[]> {
  // `~` sorts after the digits and the separator: everything due up to now, whatever it belongs to.
  const range = { pk: Keys.duePartition(shard), index: "due", upTo: `${Keys.dueSort(now)}~`, limit: PER_READ } as const;
  const found: Sighting[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/**
 * Terminates machines that no record owns, and stops those that run though their cluster is stopped. The cloud is listed
 * first, so that the records are never older than the machines. What fails for one provider, cluster or machine is logged,
 * and does not keep the others from being swept.
 */
export async function sweepOrphans(world: World): Promise<string[]> {
  const killed: string[] = [];
  for (const provider of world.providers.values()) {
    const about = { provider: provider.name };
    const swept = await surviving(world, "a provider could not be swept", about, () => sweepProvider(world, provider));
    killed.push(...(swept ?? []));
  }
  return killed;
}

async function sweepProvider(world: World, provider: MachineProvider): Promise<string[]> {
  const killed: string[] = [];
  const about = { provider: provider.name };
  await surviving(world, "snapshots could not be swept", about, () => sweepSnapshots(world, provider));
  await surviving(world, "images could not be swept", about, () => sweepImages(world, provider));
  const clusters = Map.groupBy(await provider.sweep(), machine => `${machine.workspace} ${machine.clusterId}`);
  for (const machines of clusters.values()) {
    const about = { provider: provider.name, cluster: machines[0]?.clusterId };
    const sweep = () => sweepCluster(world, provider, machines);
    killed.push(...((await surviving(world, "a cluster's machines could not be swept", about, sweep)) ?? []));
  }
  return killed;
}

/** Snapshots that are nobody's disks any more, or never became that. */
async function sweepSnapshots(world: World, provider: MachineProvider): Promise<void> {
  for (const ref of (await provider.snapshots?.()) ?? []) {
    const about = { provider: provider.name, cluster: ref.clusterId, move: ref.move };
    await surviving(world, "snapshots could not be deleted", about, async () => {
      const cluster = await load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));
      if (cluster === undefined || !Cluster.keepsSnapshots(cluster, ref.move)) await provider.deleteSnapshots?.(ref);
    });
  }
}

async function sweepCluster(
  world: World,
  provider: MachineProvider,
  machines: readonly Machine[],
): Promise<readonly string[]> {
  const [first] = machines;
  if (first === undefined) return [];
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(first.workspace, first.clusterId));
  const ended = await end(
    world,
    provider,
    machines.filter(machine => !isOwned(cluster, machine)),
  );
  const running = machines.filter(machine => isOwned(cluster, machine) && runs(machine));
  if (cluster?.state === "stopped") await rest(world, provider, running);
  return ended;
}

const runs = (machine: Machine): boolean => machine.state === "running" || machine.state === "pending";

/** A start that landed late, or somebody else's: its cluster costs what it should not. */
async function rest(world: World, provider: MachineProvider, machines: readonly Machine[]): Promise<void> {
  const [first] = machines;
  if (first === undefined) return;
  const ids = machines.map(machine => machine.machineId);
  world.log.error("machines of a stopped cluster run", { provider: provider.name, machines: ids });
  await provider.stop({ workspace: first.workspace, clusterId: first.clusterId });
}

/** @returns the ids of those that were told to end. */
async function end(world: World, provider: MachineProvider, orphans: readonly Machine[]): Promise<readonly string[]> {
  if (orphans.length === 0) return [];
  const ids = orphans.map(machine => machine.machineId);
  const about = { provider: provider.name, machines: ids };
  world.log.error("machines without an owner are terminated", about);
  world.log.count?.("OrphansFound", ids.length);
  const told = await surviving(world, "machines without an owner could not be terminated", about, async () => {
    await provider.terminate(ids);
    return ids;
  });
  if (told !== undefined || orphans.length === 1) return told ?? [];
  // One of them may have spoilt it for all.
  const each: string[] = [];
  for (const orphan of orphans) each.push(...(await end(world, provider, [orphan])));
  return each;
}

/** Owned: its cluster lives, and has the machine's generation and try. A draining cluster ends its machines itself. */
function isOwned(cluster: Cluster.Cluster | undefined, machine: Machine): boolean {
  if (cluster === undefined || Cluster.isOver(cluster)) return false;
  if (cluster.state === "draining") return true;
  const tries = "launch" in cluster && cluster.launch ? Cluster.triesOf(cluster.launch) : [];
  return cluster.generation === machine.generation && tries.includes(machine.try);
}

/** @returns undefined when it failed: that is logged, and the sweep goes on. */
async function surviving<T>(
  world: Pick<World, "log">,
  failure: string,
  about: Readonly<Record<string, unknown>>,
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    world.log.error(failure, { ...about, reason: String(error) });
    return undefined;
  }
}
