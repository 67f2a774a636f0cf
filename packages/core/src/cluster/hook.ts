/**
 * What the user has run on a cluster's hosts before its machines stop, or end by its idle policy or with a job. Not before they
 * are ended by a person, at the end of their lifetime, or by a freeze; and not where they are lost.
 */
import * as Cluster from "./cluster.ts";
import { HOOK_TIMEOUT, type Kept } from "./idle.ts";

const MINUTE = 60_000;

/** For a cluster that is to stop or end now: it waits for what its policy has to be run, if there is any. */
export function awaited(cluster: Cluster.Cluster): { readonly hookBy?: number } {
  return limitOf(Cluster.policyOf(cluster)) === undefined ? {} : { hookBy: 0 };
}

/**
 * For one that a job takes along. What stops already waits as it did: a hook that somebody has left out stays out, and one that
 * was begun is not begun again under another id.
 */
export function awaitedAfterJob(cluster: Cluster.Cluster): { readonly hookBy?: number } {
  const { state } = cluster;
  if (state === "draining") return cluster.hookBy === undefined ? {} : { hookBy: cluster.hookBy };
  return state === "stopping" && cluster.hookBy !== 0 ? {} : awaited(cluster);
}

/** How long it may take on a host, in ms; undefined: there is none. */
export const limitOf = (idle: Kept): number | undefined =>
  idle === "never" || idle.hook === undefined ? undefined : (idle.hook.timeout ?? HOOK_TIMEOUT) * MINUTE;

/** By which hosts know it: one for each time that the cluster stops or ends. */
export const idOf = ({ changedAt }: Pick<Cluster.Cluster, "changedAt">): string => `stop-${changedAt}`;
