/**
 * What ends a machine when nobody ends it from outside: how long it may live without an answer of ours, and when it ends
 * whatever it does. The host keeps both; see the agent.
 */
import type { Cluster } from "../cluster/cluster.ts";
import { deadline, freeFrom, type Idle, type Kept, waitsForJobs } from "../cluster/idle.ts";
import type { PowerOff } from "./protocol.ts";

/** How much later than the control plane a host acts by itself, in ms: it is the last to know. */
const MARGIN = 900_000;

type Part = Pick<Cluster, "idle" | "nextIdle" | "hold" | "endBy" | "state" | "changedAt">;

/**
 * Undefined where the cluster's policy is to keep it, for as long as nobody says otherwise.
 * @param policy whole, as the control plane follows it
 * @param now epoch ms
 */
export function powerOffOf(cluster: Part, policy: Idle, now: number): PowerOff | undefined {
  const { endBy } = cluster;
  const until = lonelyUntil(cluster, policy, now) ?? (endBy === undefined ? undefined : Math.max(endBy, now) + MARGIN);
  if (until === undefined) return undefined;
  return { afterSilence: Math.ceil((until - now) / 1000), ...(endBy !== undefined && { at: endBy }) };
}

/** Until when it may live when nothing is heard from now on, nor done; epoch ms. */
function lonelyUntil(cluster: Part, policy: Idle, now: number): number | undefined {
  // Until its machines have learnt of the new policy, what they do by themselves is what the old one says.
  const policies: Kept[] = cluster.nextIdle === undefined ? [policy] : [policy, cluster.idle];
  const ends = policies.map(idle => deadline(idle, sinceOf(cluster, idle, now)));
  if (!ends.every(end => end !== undefined)) return undefined;
  const keeps = { hold: cluster.hold, keep: policy === "never" ? undefined : policy.keep };
  const free = freeFrom(keeps, Math.max(now, ...ends));
  return free === undefined ? undefined : freeFrom(keeps, free + MARGIN);
}

/** From when its idle time counts when nothing is done from now on. */
const sinceOf = ({ state, changedAt }: Part, idle: Kept, now: number): number =>
  waitsForJobs(idle) || state !== "ready" ? now : changedAt;
