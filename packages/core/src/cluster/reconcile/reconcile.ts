/** Moves a cluster as far as it can go now. Anything may call it, at any time, any number of times. */
import * as Actor from "../../actor/actor.ts";
import { MusterError } from "../../error.ts";
import { schedule } from "../../job/schedule.ts";
import * as Keys from "../../keys.ts";
import type { ClusterRef } from "../../ports/provider.ts";
import { WriteConflict } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { load, type Stored } from "../../record.ts";
import { removal } from "../change.ts";
import * as Cluster from "../cluster.ts";
import { boot } from "./boot.ts";
import { drain } from "./drain.ts";
import { grow } from "./grow.ts";
import { ready } from "./idle.ts";
import { cancelQueued } from "./jobs.ts";
import { launch } from "./launch.ts";
import { move } from "./move.ts";
import { plan } from "./plan.ts";
import { takePolicy } from "./policy.ts";
import { rest, start, stop } from "./power.ts";
import type { In, Outcome, Step } from "./step.ts";

/** A job that came while its cluster was ending has nobody to wait for. */
async function over(world: World, cluster: In<"terminated" | "failed">): Promise<Outcome> {
  const failure = cluster.state === "failed" ? cluster.failure : undefined;
  await cancelQueued(world, { workspace: cluster.workspace, clusterId: cluster.id }, "its cluster has ended", failure);
  return "wait";
}

/** Cluster-level commands bring these states, and what moves them. */
const unmoved = async (): Promise<Outcome> => "wait";

/** What each state needs. */
const steps: { readonly [S in Cluster.State]: Step<S> } = {
  requested: plan,
  launching: launch,
  booting: boot,
  setting_up: unmoved,
  ready,
  growing: grow,
  broken: unmoved,
  stopping: stop,
  stopped: rest,
  moving: move,
  starting: start,
  draining: drain,
  terminated: over,
  failed: over,
};

/** More moves than any lifecycle has in a row. */
const MOST_STEPS = 20;

/** How often in a row it is tried where somebody else was first. */
const MOST_LOST = 3;
/** A port that is busy counts for more than one of them: what is throttled wants rest, and is asked again once. */
const BUSY = 2;

/** @returns the cluster as it stands; undefined when there is none. @throws what a port threw: try again later. */
export async function reconcile(world: World, ref: ClusterRef): Promise<Cluster.Cluster | undefined> {
  let cluster = await find(world, ref);
  let lost = 0;
  for (let step = 0; step < MOST_STEPS && lost < MOST_LOST && cluster !== undefined; step++) {
    const outcome = await once(world, cluster);
    cluster = await find(world, ref);
    if (outcome === "wait") break;
    lost = typeof outcome === "number" ? lost + outcome : 0;
  }
  return cluster;
}

const find = (world: World, ref: ClusterRef) =>
  load(world.table, Cluster.noun, Keys.cluster(ref.workspace, ref.clusterId));

/** Its time is over, whatever it does. */
const hasOutlived = (cluster: Cluster.Cluster, now: number): boolean =>
  cluster.endBy !== undefined && cluster.endBy <= now && !Cluster.isLeaving(cluster);

async function endLife(world: World, cluster: Stored<Cluster.Cluster>): Promise<Outcome> {
  const why = { message: "it has lived as long as its launch allowed" };
  const move = removal(world, Actor.system(cluster.workspace), cluster, why);
  if (move) await world.table.write(move.writes);
  return "again";
}

/** Beside the growth of a cluster, its jobs: what is wrong with one of them must not keep machines waiting. */
async function place(world: World, cluster: Stored<Cluster.Cluster>): Promise<void> {
  try {
    await schedule(world, { workspace: cluster.workspace, clusterId: cluster.id });
  } catch (error) {
    world.log.error("jobs of a growing cluster could not be placed", { cluster: cluster.id, reason: String(error) });
  }
}

/** @returns a number where nothing came of it: how much that counts. */
async function once(world: World, cluster: Stored<Cluster.Cluster>): Promise<Outcome | number> {
  try {
    if (hasOutlived(cluster, world.clock.now())) return await endLife(world, cluster);
    if (await takePolicy(world, cluster)) return "again";
    if (cluster.state !== "ready" && Cluster.takesJobs(cluster)) await place(world, cluster);
    // The table's type ties each state to a step for it; the lookup loses that tie.
    return await (steps[cluster.state] as Step<Cluster.State>)(world, cluster as never);
  } catch (error) {
    // Nothing was written: the next round reads again.
    if (error instanceof WriteConflict) return 1;
    if (error instanceof MusterError && error.code === "busy") return BUSY;
    throw error;
  }
}
