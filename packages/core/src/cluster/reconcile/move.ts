/**
 * moving → launching: a stopped cluster gets other machines, wherever there are some, with its own disks.
 *
 * Lifecycle: a snapshot of each machine's disks, until all are complete; that is recorded; the machines are ended, until
 * none is left; others are launched from the snapshots, as the next generation. When that launch comes to nothing it leads
 * back here with its failure: what it has made is ended, and the cluster is stopped again. Its disks then are the
 * snapshots, and every later start comes through here.
 *
 * Gotcha: a machine is ended only when the record says that its disks are snapshots, and only machines up to the
 * generation on record: whoever stood still in here must not end those that were launched meanwhile.
 */
import { MusterError } from "../../error.ts";
import * as Host from "../../host/host.ts";
import type { Machine, MachineProvider, Snapshot } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { amend } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { clear } from "./clear.ts";
import { failureOf } from "./fail.ts";
import { later } from "./later.ts";
import { nextGroup } from "./plan.ts";
import { providerOf } from "./provider.ts";
import { stay } from "./stay.ts";
import type { In, Outcome } from "./step.ts";
import { keepTaken } from "./taken.ts";

/** How often a move looks again, in ms. */
const LOOK = 15_000;

/** How long copying disks may take, in ms: a first snapshot of many terabytes takes many hours. */
const COPY_WITHIN = 24 * 3_600_000;

type Moving = In<"moving">;

export async function move(world: World, cluster: Moving): Promise<Outcome> {
  const provider = providerOf(world, cluster);
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const seen = (await provider.observe(ref)).filter(machine => machine.generation <= cluster.generation);
  if (cluster.snapshotOf === cluster.move) return leave(world, cluster, seen);
  // Nothing of it was ended.
  if (cluster.failure) return stay(world, cluster, cluster.failure);
  if (world.clock.now() > cluster.changedAt + COPY_WITHIN) return stay(world, cluster, tooLong(cluster));
  const tries = Cluster.triesOf(cluster.launch);
  const isIts = ({ generation, try: made }: Machine) => generation === cluster.generation && tries.includes(made);
  return copy(world, cluster, provider, seen.filter(isIts));
}

/** The disks are snapshots: nothing else is left of the old machines, or of a launch that came to nothing. */
async function leave(world: World, cluster: Moving, machines: readonly Machine[]): Promise<Outcome> {
  if (!(await clear(world, cluster, machines))) return "wait";
  if (cluster.failure) return stay(world, cluster, cluster.failure);
  return nextGroup(world, cluster, { try: 0 });
}

async function copy(
  world: World,
  cluster: Moving,
  provider: MachineProvider,
  machines: readonly Machine[],
): Promise<Outcome> {
  const now = world.clock.now();
  const snapshots = await snapshotsOf(cluster, provider, machines);
  if (snapshots === "busy") return later(world, cluster, now + LOOK);
  if (!Array.isArray(snapshots)) return stay(world, cluster, failureOf(snapshots));
  const states = new Map(snapshots.map(({ hostId, state }) => [hostId, state]));
  const hosts = Array.from({ length: cluster.nodes }, (_, rank) => Host.idOf(cluster.id, rank));
  if (hosts.every(host => states.get(host) === "complete")) {
    const { writes, ...taken } = await keepTaken(world, cluster);
    const { write } = amend<Cluster.Cluster>(Cluster.noun, cluster, { snapshotOf: cluster.move, ...taken });
    await world.table.write([write, ...writes]);
    return "again";
  }
  const there = new Set(machines.filter(machine => machine.state !== "terminating").map(machine => machine.hostId));
  const failure = obstacle(cluster, hosts, states, there);
  return failure ? stay(world, cluster, failure) : later(world, cluster, now + LOOK);
}

/** @returns `busy`: soon; an error: never. @throws MusterError `unavailable`: nobody knows. */
async function snapshotsOf(
  cluster: Moving,
  provider: MachineProvider,
  machines: readonly Machine[],
): Promise<Snapshot[] | MusterError | "busy"> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const idle = machines.filter(machine => machine.state === "stopped").map(machine => machine.machineId);
  try {
    if (machines.some(machine => runs(machine))) await provider.stop(ref);
    return [...((await provider.snapshot?.({ ...ref, move: cluster.move }, idle)) ?? [])];
  } catch (error) {
    if (!(error instanceof MusterError) || error.code === "unavailable") throw error;
    return error.code === "busy" ? "busy" : error;
  }
}

/** Somebody else's start, or one that landed late. */
const runs = (machine: Machine): boolean => machine.state === "running" || machine.state === "pending";

/** What keeps the copy from ever being whole. */
function obstacle(
  { name, nodes }: Moving,
  hosts: readonly string[],
  states: ReadonlyMap<string, Snapshot["state"]>,
  machines: ReadonlySet<string>,
): Cluster.Failure | undefined {
  const failed = hosts.filter(host => states.get(host) === "failed");
  if (failed.length > 0)
    return { code: "move_failed", message: `the disks of ${failed.join(", ")} could not be copied`, hint: again(name) };
  const gone = hosts.filter(host => !states.has(host) && !machines.has(host)).length;
  if (gone === 0) return undefined;
  const message = `${gone} of its ${nodes} machines ${gone === 1 ? "is" : "are"} gone`;
  const hint = `what is left of its disks is kept; end it with: muster down ${name}`;
  return { code: "machines_lost", message, hint };
}

const again = (name: string): string => `try again: muster start ${name} --move`;

const tooLong = ({ name }: Moving): Cluster.Failure => ({
  code: "move_failed",
  message: "its disks were not copied within a day",
  hint: again(name),
});
