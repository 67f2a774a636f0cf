/** A cluster that cannot go on: its failure is recorded, and its machines are drained before it is called failed, or made anew. */
import * as Actor from "../../actor/actor.ts";
import type { MusterError } from "../../error.ts";
import type { Write } from "../../ports/table.ts";
import type { Basics } from "../../ports/world.ts";
import { advance, amend, type Patch, type Stored, type Why } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { about, groupsOf } from "../group.ts";
import { isRenewed } from "./renew.ts";
import type { In, Outcome } from "./step.ts";

/** What a refusal leaves to be said of the cluster. */
export function failureOf({ code, message, details: { hint } }: MusterError): Cluster.Failure {
  return { code, message, ...(hint !== undefined && { hint }) };
}

/** The launch of one of its groups came to nothing. */
export const failLaunch = (
  world: Basics,
  cluster: Stored<Cluster.Cluster>,
  group: number,
  failure: Cluster.Failure,
  launch?: Cluster.Launch,
): Promise<Outcome> => {
  const message = about(groupsOf(cluster), group, failure.message);
  return fail(world, cluster, { ...failure, message }, launch);
};

/**
 * @param launch what is known of its launch now, when that has changed
 * @param also what must still hold
 */
export async function fail(
  world: Basics,
  cluster: Stored<Cluster.Cluster>,
  failure: Cluster.Failure,
  launch?: Cluster.Launch,
  also: readonly Write[] = [],
): Promise<Outcome> {
  const now = world.clock.now();
  const known = { failure, dueAt: now, ...(launch && { launch }) };
  const actor = Actor.system(cluster.workspace);
  const why = { message: failure.message };
  const renewal = (await isRenewed(world, cluster, failure)) && { renew: true };
  const writes = isKept(cluster)
    ? goBack(world, cluster, known, why)
    : advance(world, Cluster.kind, actor, cluster, "fail", { ...known, ...renewal, drainingSince: now }, why).writes;
  await world.table.write([...writes, ...also]);
  return "again";
}

/** What the launch has made is ended; the disks that wait, or the cluster that works already, are left as they are. */
function goBack(
  world: Basics,
  cluster: In<"moving" | "growing" | "launching" | "booting">,
  patch: Patch<Cluster.Cluster>,
  why: Why,
): readonly Write[] {
  const actor = Actor.system(cluster.workspace);
  if (cluster.state === "moving" || cluster.state === "growing")
    return [amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write];
  return cluster.before
    ? advance(world, Cluster.kind, actor, cluster, "shrink", patch, why).writes
    : advance(world, Cluster.kind, actor, cluster, "stay", { ...patch, move: cluster.snapshotOf }, why).writes;
}

/** Whether there is something that outlives a launch that comes to nothing. */
function isKept(cluster: Stored<Cluster.Cluster>): cluster is In<"moving" | "growing" | "launching" | "booting"> {
  if (cluster.state === "moving" || cluster.state === "growing") return true;
  if (cluster.state !== "launching" && cluster.state !== "booting") return false;
  return cluster.before !== undefined || cluster.snapshotOf !== undefined;
}
