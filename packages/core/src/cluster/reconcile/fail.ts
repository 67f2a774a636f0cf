/** A cluster that cannot go on: its failure is recorded, and its machines are drained before it is called failed. */
import * as Actor from "../../actor/actor.ts";
import type { MusterError } from "../../error.ts";
import type { Write } from "../../ports/table.ts";
import type { Basics } from "../../ports/world.ts";
import { advance, amend, type Patch, type Stored, type Why } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { about, groupsOf } from "../group.ts";
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

/** @param launch what is known of its launch now, when that has changed. */
export async function fail(
  world: Basics,
  cluster: Stored<Cluster.Cluster>,
  failure: Cluster.Failure,
  launch?: Cluster.Launch,
): Promise<Outcome> {
  const now = world.clock.now();
  const known = { failure, dueAt: now, ...(launch && { launch }) };
  const actor = Actor.system(cluster.workspace);
  const why = { message: failure.message };
  await world.table.write(
    isKept(cluster)
      ? goBack(world, cluster, known, why)
      : advance(world, Cluster.kind, actor, cluster, "fail", { ...known, drainingSince: now }, why).writes,
  );
  return "again";
}

/** Disks that wait for machines outlive a launch that comes to nothing. */
const isKept = (cluster: Stored<Cluster.Cluster>): cluster is In<"moving" | "launching"> =>
  cluster.state === "moving" || (cluster.state === "launching" && cluster.snapshotOf !== undefined);

/** What the launch has made is ended, and the disks wait on. */
function goBack(
  world: Basics,
  cluster: In<"moving" | "launching">,
  patch: Patch<Cluster.Cluster>,
  why: Why,
): readonly Write[] {
  if (cluster.state === "moving") return [amend<Cluster.Cluster>(Cluster.noun, cluster, patch).write];
  const actor = Actor.system(cluster.workspace);
  return advance(world, Cluster.kind, actor, cluster, "stay", { ...patch, move: cluster.snapshotOf }, why).writes;
}
