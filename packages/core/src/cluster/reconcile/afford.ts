/** What a cluster takes of the budget changes with the offers that it is launched on. */
import * as Budget from "../../budget/budget.ts";
import type { Offer } from "../../ports/provider.ts";
import type { Table, Write } from "../../ports/table.ts";
import type * as Cluster from "../cluster.ts";
import { groupsOf } from "../group.ts";

/** What the groups take whose offers are these; by group, in order. */
export const costOf = (cluster: Cluster.Cluster, offers: readonly Pick<Offer, "hourly">[]): number =>
  offers.reduce((sum, offer, index) => sum + Budget.amountOf(offer, groupsOf(cluster)[index]?.nodes ?? 0), 0);

/** The writes that let the cluster take so much, and no more. @throws MusterError `over_budget` when it may not. */
export async function afford(
  table: Table,
  cluster: Cluster.Cluster,
  cost: number,
): Promise<{ takes: number | undefined; writes: readonly Write[] }> {
  const writes = await Budget.take(table, cluster.workspace, cost - (cluster.takes ?? 0));
  return { takes: cost === 0 ? undefined : cost, writes };
}
