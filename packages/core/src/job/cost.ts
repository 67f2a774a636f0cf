/**
 * What a job costs: its share of its hosts, from its placement until it gives them back. It is the largest share that it takes
 * of anything a host has: of its GPUs, its CPUs or its memory; all of it where the host is the job's alone; nothing where it
 * takes nothing. What nobody takes of a host, and its time between jobs, is the cluster's cost and no job's.
 */
import * as Cluster from "../cluster/cluster.ts";
import { groupsOf } from "../cluster/group.ts";
import type { Parts, Slot } from "../cluster/slots.ts";
import { rateOf } from "../cost/amount.ts";
import { type Cost, turned } from "../cost/cost.ts";

type Part = Parts extends ReadonlyMap<number, infer P> ? P : never;

/** From 0 to 1. */
function shareOf(part: Part, slot: Pick<Slot, "cpus" | "memory" | "gpus">): number {
  if (part.whole) return 1;
  if (part.beside) return 0;
  const shares = [
    [part.gpus?.length ?? 0, slot.gpus],
    [part.cpus ?? 0, slot.cpus],
    [part.memory ?? 0, slot.memory],
  ].map(([takes = 0, has = 0]) => (has > 0 ? takes / has : 0));
  return Math.min(1, Math.max(...shares));
}

/** What the hosts' parts cost per hour. */
function rateOfParts(cluster: Cluster.Cluster, slots: readonly Slot[], parts: Parts): number {
  const prices = groupsOf(cluster).flatMap(({ nodes }, index) =>
    Array.from({ length: nodes }, () => Cluster.kindsOf(cluster)[index]?.hourly ?? 0),
  );
  const rates = slots.map(slot => {
    const part = parts.get(slot.rank);
    return part === undefined ? 0 : rateOf((prices[slot.rank] ?? 0) * shareOf(part, slot), 1);
  });
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** It gets these parts of hosts. */
export const begun = (
  job: { readonly cost?: Cost | undefined },
  cluster: Cluster.Cluster,
  slots: readonly Slot[],
  parts: Parts,
  now: number,
): Cost | undefined => turned(job.cost, now, { hourly: rateOfParts(cluster, slots, parts) }).cost;

/** It has none any more. */
export const ended = ({ cost }: { readonly cost?: Cost | undefined }, now: number): Cost | undefined =>
  cost === undefined || cost.hourly === 0 ? cost : turned(cost, now, { hourly: 0 }).cost;
