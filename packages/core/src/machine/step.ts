/** One step of a state machine: reconciles, and says what comes next. All steps do the same; their names tell the history. */
import type * as Cluster from "../cluster/cluster.ts";
import { isHeld } from "../cluster/reconcile/launch.ts";
import { reconcile } from "../cluster/reconcile/reconcile.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import type { Next } from "./definitions.ts";

/** One that is looked at as soon as this, in ms, has only not been planned yet. */
const SOON = 60_000;

export interface StepAnswer {
  readonly next: Next;
  readonly state: Cluster.State | "unknown";
}

const nextOf: Readonly<Record<Cluster.State, Next>> = {
  requested: "wait",
  launching: "launch",
  booting: "wait",
  setting_up: "wait",
  ready: "done",
  growing: "wait",
  broken: "done",
  stopping: "wait",
  stopped: "done",
  moving: "wait",
  starting: "wait",
  draining: "drain",
  terminated: "done",
  failed: "done",
};

export async function step(world: World, ref: ClusterRef): Promise<StepAnswer> {
  const cluster = await reconcile(world, ref);
  if (cluster === undefined) return { next: "done", state: "unknown" };
  // Launching again at once would spin.
  const now = world.clock.now();
  const held = cluster.state === "launching" && (cluster.dueAt > now || isHeld(cluster.launch, now));
  // It has not been asked for yet: its job waits. That may take days, and the job's place in the queue rings.
  if (cluster.state === "requested" && cluster.dueAt > now + SOON) return { next: "done", state: cluster.state };
  return { next: held ? "wait" : nextOf[cluster.state], state: cluster.state };
}
