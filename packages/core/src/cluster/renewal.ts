/** When the cluster of a managed job is made anew, and what is said of it until then. */
import { causeOf, pauseOf } from "../job/retry.ts";
import type * as Cluster from "./cluster.ts";

type Draining = Extract<Cluster.Cluster, { state: "draining" }>;

/** The pause after the first round that found no machines, and the longest, in ms. */
const PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;

/** When it may be requested again, epoch ms: at once after machines that worked, later where there were none. */
export function renewAt({ restarts = 0, failure, drainingSince }: Draining): number {
  const isScarce = failure !== undefined && causeOf(failure) === "capacity";
  return drainingSince + (isScarce || restarts > 0 ? pauseOf(PAUSE, restarts, LONGEST_PAUSE) : 0);
}

/** Why a job waits for such a cluster, in sentences; none for a cluster that is not made anew. */
export function renewalReasons(cluster: Cluster.Cluster | undefined, now: number): string[] {
  if (cluster?.state !== "draining" || !cluster.renew) return [];
  const why = cluster.failure === undefined ? [] : [cluster.failure.message];
  const at = renewAt(cluster);
  const when = at > now ? `at ${new Date(at).toISOString()}` : "when nothing is left of those before";
  return [...why, `new machines for cluster '${cluster.name}' are looked for ${when}`];
}
