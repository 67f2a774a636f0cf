/**
 * The doorbell: after a commit, what has changed is reconciled at once. A ring may be lost, doubled or late: everything
 * that it starts is also found by a poll or by a deadline.
 */
import { reconcile as reconcileCluster } from "./cluster/reconcile/reconcile.ts";
import { Event } from "./event/event.ts";
import { kick } from "./host/kick.ts";
import { reconcile as reconcileJob } from "./job/reconcile/reconcile.ts";
import type { ClusterRef } from "./ports/provider.ts";
import type { Change, Item } from "./ports/table.ts";
import type { World } from "./ports/world.ts";

/** What a change asks for. */
export type Ring =
  | {
      readonly do: "drive";
      readonly machine: "cluster-up" | "cluster-down";
      readonly ref: ClusterRef;
      readonly run: string;
    }
  | { readonly do: "reconcile"; readonly ref: ClusterRef }
  | { readonly do: "look"; readonly workspace: string; readonly jobId: string }
  | { readonly do: "kick"; readonly ref: ClusterRef; readonly ranks: readonly number[] };

/** Which states of a noun somebody must act on at once. */
const actions: Readonly<Record<string, "up" | "down" | "reconcile" | "look">> = {
  "cluster.requested": "up",
  "cluster.starting": "up",
  "cluster.ready": "reconcile",
  "cluster.stopping": "reconcile",
  "cluster.draining": "down",
  "job.queued": "reconcile",
  "job.starting": "look",
  "job.cancelling": "look",
  "job.succeeded": "reconcile",
  "job.failed": "reconcile",
  "job.cancelled": "reconcile",
  "job.timed_out": "reconcile",
};

/** Pure, so that a stream's filter and a test can ask it too. */
export function ringFor(change: Change): Ring | undefined {
  if ("removed" in change) return undefined;
  const { item } = change;
  if (item.type === "event") return ringForEvent(item);
  if (item.type === "job" && item.data.verdict !== undefined)
    return { do: "look", workspace: String(item.data.workspace), jobId: String(item.data.id) };
  if (item.type === "follow")
    return {
      do: "kick",
      ref: { workspace: String(item.data.workspace), clusterId: String(item.data.clusterId) },
      ranks: item.data.ranks as number[],
    };
  return undefined;
}

function ringForEvent(item: Item): Ring | undefined {
  const event = Event.parse(item.data);
  const workspace = item.pk.split("#")[1] ?? "";
  const action = actions[event.kind];
  if (action === undefined || event.clusterId === undefined) return undefined;
  const ref = { workspace, clusterId: event.clusterId };
  if (action === "look") return { do: "look", workspace, jobId: event.subject };
  if (action === "up") return { do: "drive", machine: "cluster-up", ref, run: event.id };
  if (action === "down") return { do: "drive", machine: "cluster-down", ref, run: event.id };
  return { do: action, ref };
}

export async function answer(world: World, ring: Ring): Promise<void> {
  switch (ring.do) {
    case "drive":
      return drive(world, ring);
    case "reconcile":
      await reconcileCluster(world, ring.ref);
      return;
    case "look":
      return reconcileJob(world, ring);
    case "kick":
      return kick(world, ring.ref, ring.ranks);
  }
}

/** A workflow drives the cluster in time, where there is one; where there is none, this call goes as far as it can. */
async function drive(world: World, ring: Extract<Ring, { do: "drive" }>): Promise<void> {
  const name = `${ring.machine}-${ring.ref.clusterId}-${ring.run.slice("evt_".length)}`;
  if (await world.workflow.start(ring.machine, name, { ...ring.ref })) return;
  await reconcileCluster(world, ring.ref);
}

/** Reconciles whatever an item that is due belongs to. */
export async function answerDue(
  world: World,
  due: { readonly type: string; readonly data: Readonly<Record<string, unknown>> },
): Promise<void> {
  const workspace = String(due.data.workspace);
  const id = String(due.data.id);
  if (due.type === "cluster") await reconcileCluster(world, { workspace, clusterId: id });
  if (due.type === "job") await reconcileJob(world, { workspace, jobId: id });
}
