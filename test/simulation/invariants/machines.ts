/** What must hold of machines: who owns them, and how many there are. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import { MINUTE } from "../kernel.ts";
import { type Box, runs } from "../ports/cloud.ts";
import type { Written } from "../ports/table.ts";
import type { Process } from "../process.ts";
import type { Sim } from "../sim.ts";
import { clusterOf } from "./cluster-of.ts";
import { checkDisk } from "./disks.ts";

export function watchMachines(sim: Sim): void {
  // I12: whoever works, and is wanted, is left alone.
  sim.cloud.onEnd = box => {
    checkDisk(sim, box);
    const cluster = clusterOf(sim, box);
    if (cluster && cluster.state !== "draining" && isWanted(sim, box))
      sim.violate("I12", `${box.id} is ended; its cluster ${cluster.id} is ${cluster.state}`);
  };
  sim.db.observers.push((process, written) => {
    for (const one of written) checkStopped(sim, process, one);
  });
  sim.cloud.watchers.push(intent => {
    const cluster = clusterOf(sim, intent);
    if (cluster === undefined || Cluster.isOver(cluster))
      sim.violate(
        "I5",
        `machines are launched for cluster ${intent.clusterId}, which is ${cluster?.state ?? "unknown"}`,
      );
    checkAlone(sim, intent);
    checkCount(sim);
    checkAsked(sim, intent);
    const expected = cluster && ranksOf(cluster);
    const ranks = intent.hosts.map(host => host.rank).join(" ");
    if (ranks !== expected?.join(" "))
      sim.violate("I6", `ranks ${ranks} are launched for group ${intent.group}, which has ${expected?.join(" ")}`);
  });
}

/**
 * I5: what is called stopped stood still when its writer last looked. A machine that was there, and was started after that look, by
 * hand or by a call that landed late, is for the sweep to stop, which I1 is about. One that came up new is not: its launch was out.
 */
function checkStopped(sim: Sim, process: Process, { before, after }: Written): void {
  if (after?.type !== "cluster" || after.data.state !== "stopped" || before?.data.state !== "stopping") return;
  const { id } = after.data as unknown as Cluster.Cluster;
  const lookedAt = sim.cloud.lookedAt(process, id) ?? Number.POSITIVE_INFINITY;
  const wasStartedSince = (box: Box): boolean => box.boots > 1 && box.bootedAt >= lookedAt;
  const running = sim.cloud.boxes.filter(box => box.clusterId === id && runs(box) && !wasStartedSince(box));
  if (running.length > 0)
    sim.violate("I5", `cluster ${id} is stopped; ${running.map(box => `${box.id} is ${box.state}`)}`);
}

/** I6: what a machine is asked to be is what was asked for by the choice that its offer belongs to. */
function checkAsked(sim: Sim, { clusterId, offer, resources: { zone = offer.zone } }: Intent): void {
  if (zone !== offer.zone)
    sim.violate("I6", `machines of ${clusterId} are launched in zone ${offer.zone} by a choice of zone ${zone}`);
}

/** I6: a host has one machine, and a try makes one set of them. */
function checkAlone(sim: Sim, intent: Intent): void {
  const hosts = new Set(intent.hosts.map(host => host.hostId));
  const others = sim.cloud.boxes.filter(
    box =>
      box.clusterId === intent.clusterId &&
      (hosts.has(box.hostId) || box.try === intent.try) &&
      box.state !== "terminated" &&
      box.state !== "terminating",
  );
  if (others.length > 0)
    sim.violate(
      "I6",
      `try ${intent.try} of ${intent.clusterId} gets machines while ${others.map(box => `${box.id} of try ${box.try} is ${box.state}`)}`,
    );
}

/** I11: there are never more machines than twice the hosts that were asked for, whatever runs away. */
function checkCount(sim: Sim): void {
  const hosts = [...sim.db.all("cluster")]
    .map(({ data }) => data as unknown as Cluster.Cluster)
    .reduce((sum, cluster) => sum + (Cluster.isOver(cluster) ? 0 : cluster.nodes), 0);
  const alive = sim.cloud.boxes.filter(runs).length;
  if (alive > 2 * hosts + 2) sim.violate("I11", `${alive} machines run for ${hosts} hosts`);
}

/** Counted here anew: what core says of its own groups is what is being checked. */
function ranksOf(cluster: Cluster.Cluster): number[] {
  const groups = cluster.groups ?? [];
  const made = ("launch" in cluster && cluster.launch?.made?.length) || 0;
  const first = groups.slice(0, made).reduce((sum, group) => sum + group.nodes, 0);
  return Array.from({ length: groups[made]?.nodes ?? 0 }, (_, host) => first + host);
}

/** How long a machine may run that nobody wants, in ms: two sweeps, and the time that ending takes. */
const ORPHAN_BOUND = 12 * MINUTE;

/** I1, in calm weather: a machine that runs has an owner that wants it to run. */
export function watchOrphans(sim: Sim): void {
  const since = new Map<Box, number>();
  const look = () => {
    for (const box of sim.cloud.boxes) lookAt(sim, box, since);
    sim.kernel.at(MINUTE, "look for orphans", look);
  };
  look();
}

function lookAt(sim: Sim, box: Box, since: Map<Box, number>): void {
  if (!runs(box) || isWanted(sim, box)) {
    since.delete(box);
    return;
  }
  const unwanted = since.get(box) ?? sim.now;
  since.set(box, unwanted);
  if (sim.now - unwanted > ORPHAN_BOUND)
    sim.violate("I1", `${box.id} runs; its cluster ${box.clusterId} is ${clusterOf(sim, box)?.state ?? "unknown"}`);
}

function isWanted(sim: Sim, box: Box): boolean {
  const cluster = clusterOf(sim, box);
  if (cluster === undefined || Cluster.isOver(cluster)) return false;
  // What does not come up cannot be stopped either, and costs nothing.
  if (cluster.state === "stopped") return box.state === "pending" && box.isSick;
  if (cluster.state === "draining") return true;
  // Once its disks are snapshots, nothing of what there was before is wanted.
  if (cluster.state === "moving") return cluster.snapshotOf !== cluster.move && cluster.generation === box.generation;
  const launch = wantedLaunch(cluster);
  const isMade = launch?.made?.some(group => group.try === box.try) ?? false;
  return cluster.generation === box.generation && (launch?.try === box.try || isMade);
}

/** What could not grow keeps what it had. */
function wantedLaunch(cluster: Cluster.Cluster): Cluster.Launch | undefined {
  if (cluster.state === "growing" && cluster.failure !== undefined) return cluster.before.launch;
  return "launch" in cluster ? cluster.launch : undefined;
}
