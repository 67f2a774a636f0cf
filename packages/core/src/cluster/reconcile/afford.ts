/** What a cluster takes of the budget changes with the offer that it is launched on. */
import * as Budget from "../../budget/budget.ts";
import type { Offer } from "../../ports/provider.ts";
import type { Table, Write } from "../../ports/table.ts";
import type * as Cluster from "../cluster.ts";

/** @throws MusterError `over_budget` when this offer costs more than the budget leaves. */
export async function afford(
  table: Table,
  cluster: Cluster.Cluster,
  offer: Pick<Offer, "hourly">,
): Promise<{ takes: number | undefined; writes: readonly Write[] }> {
  const takes = Budget.amountOf(offer, cluster.nodes);
  const writes = await Budget.take(table, cluster.workspace, takes - (cluster.takes ?? 0));
  return { takes: takes === 0 ? undefined : takes, writes };
}
