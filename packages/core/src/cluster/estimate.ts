/** What a group is to be until its offer is chosen: what was asked for, and what the offer that comes first would take. */
import { rateOf } from "../cost/amount.ts";
import type * as Choose from "../provider/choose.ts";
import type * as Cluster from "./cluster.ts";
import type * as Group from "./group.ts";
import { gpusIn } from "./reconcile/afford.ts";

export function estimated({
  resources,
  nodes,
  offers: [offer],
}: Group.Create & Choose.Found): Cluster.Spec["groups"][number] {
  const gpus = gpusIn(offer) * nodes;
  return { resources, takes: rateOf(offer.hourly, nodes), ...(gpus > 0 && { gpus }) };
}
