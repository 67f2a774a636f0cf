/** A cluster that cannot go on: its failure is recorded, and its machines are drained before it is called failed. */
import * as Actor from "../../actor/actor.ts";
import type { MusterError } from "../../error.ts";
import type { Basics } from "../../ports/world.ts";
import { advance, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { about, groupsOf } from "../group.ts";
import type { Outcome } from "./step.ts";

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
  const patch = { failure, dueAt: now, drainingSince: now, ...(launch && { launch }) };
  const move = advance(world, Cluster.kind, Actor.system(cluster.workspace), cluster, "fail", patch, {
    message: failure.message,
  });
  await world.table.write(move.writes);
  return "again";
}
