/** I20: the disks of a cluster that was stopped are somewhere, whole, until somebody ends it. */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import type { MoveRef } from "@muster/core/ports/provider.ts";
import { MINUTE } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";
import { clusterOf } from "./cluster-of.ts";

export function watchDisks(sim: Sim): void {
  sim.cloud.snapshots.onDelete = of => {
    const cluster = clusterOf(sim, of);
    if (cluster && !Cluster.isLeaving(cluster) && cluster.snapshotOf === of.move)
      sim.violate("I20", `the disks of ${cluster.id}, which is ${cluster.state}, are deleted with move ${of.move}`);
  };
}

/** States in which what stands on a disk is somebody's work. */
const KEPT: ReadonlySet<Cluster.State> = new Set(["stopping", "stopped", "starting", "moving"]);

/** A machine is about to end because somebody said so. */
export function checkDisk(sim: Sim, box: Box): void {
  const cluster = clusterOf(sim, box);
  if (cluster === undefined || !KEPT.has(cluster.state) || box.generation > cluster.generation) return;
  const { workspace, clusterId, hostId } = box;
  const move = cluster.snapshotOf;
  const copy = move === undefined ? undefined : sim.cloud.snapshots.find({ workspace, clusterId, move }, hostId);
  if (copy?.state !== "complete")
    sim.violate("I20", `${box.id} is ended; its cluster is ${cluster.state}, and has no copy of ${hostId}'s disk`);
}

/** How long a snapshot may be kept that is nobody's, in ms: two sweeps. */
const BOUND = 12 * MINUTE;

/**
 * I1, of snapshots: in calm weather what nobody needs is deleted. Each copy has a time of its own: a call that lands late
 * makes copies for a move anew whose copies were swept before.
 */
export function watchSnapshots(sim: Sim): void {
  const since = new Map<MoveRef, number>();
  const look = () => {
    for (const one of sim.cloud.snapshots.all) lookAt(sim, one, since);
    sim.kernel.at(MINUTE, "look for snapshots", look);
  };
  look();
}

function lookAt(sim: Sim, one: MoveRef, since: Map<MoveRef, number>): void {
  const cluster = clusterOf(sim, one);
  if (cluster && Cluster.keepsSnapshots(cluster, one.move)) {
    since.delete(one);
    return;
  }
  const unneeded = since.get(one) ?? sim.now;
  since.set(one, unneeded);
  if (sim.now - unneeded > BOUND) sim.violate("I1", `snapshots of ${one.clusterId}/${one.move} are nobody's`);
}
