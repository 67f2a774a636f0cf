/**
 * What a cluster takes of the budgets, and what it costs, changes with its machines: in the transaction that says so of it.
 *
 * Its machines cost from the answer of the call that made or started them, until the record says that none runs any more;
 * while they are stopped, their disks do.
 */
import * as Budget from "../../budget/take.ts";
import { rateOf } from "../../cost/amount.ts";
import { type Cost, type Turn, turned } from "../../cost/cost.ts";
import type { Offer } from "../../ports/provider.ts";
import type { Write } from "../../ports/table.ts";
import type { Basics } from "../../ports/world.ts";
import { holding } from "../../quota/hold.ts";
import * as Quota from "../../quota/quota.ts";
import * as Cluster from "../cluster.ts";
import { groupsOf } from "../group.ts";

const sumOf = (cluster: Cluster.Cluster, rates: readonly number[]): number =>
  rates.reduce((sum, rate, index) => sum + rateOf(rate, groupsOf(cluster)[index]?.nodes ?? 0), 0);

/** What the groups take whose offers are these; by group, in order. */
export const costOf = (cluster: Cluster.Cluster, offers: readonly Pick<Offer, "hourly">[]): number =>
  sumOf(
    cluster,
    offers.map(offer => offer.hourly),
  );

/** What its machines cost per hour, as far as they are chosen. */
export const runningRate = (cluster: Cluster.Cluster): number => costOf(cluster, Cluster.kindsOf(cluster));

/** What its disks cost per hour while its machines are stopped. */
export const restingRate = (cluster: Cluster.Cluster): number =>
  sumOf(
    cluster,
    Cluster.kindsOf(cluster).map(({ disk }) => disk ?? 0),
  );

/** GPUs, and their like, of the groups whose offers are these; by group, in order. */
export const gpusOf = (cluster: Cluster.Cluster, offers: readonly Pick<Offer, "accelerators">[]): number =>
  offers.reduce((sum, offer, index) => sum + gpusIn(offer) * (groupsOf(cluster)[index]?.nodes ?? 0), 0);

/** Of one host. */
export const gpusIn = ({ accelerators }: Pick<Offer, "accelerators">): number =>
  Object.values(accelerators).reduce((sum, count) => sum + count, 0);

/** What it counts for while its machines run. */
export const runningHeld = (cluster: Cluster.Cluster): Quota.Held =>
  Quota.held(cluster.nodes, gpusOf(cluster, Cluster.kindsOf(cluster)));

export interface Change extends Partial<Turn> {
  /** What it takes from now on; absent: as much as before. */
  readonly takes?: number;
  /** What it counts for from now on; null: nothing any more; absent: as much as before. */
  readonly holds?: Quota.Held | null;
  /** Whether machines are to begin that did not run before. */
  readonly begins?: boolean;
  /** Whose it was until now; absent: its owner's. */
  readonly from?: string;
}

export interface Share {
  readonly takes: number | undefined;
  readonly cost: Cost | undefined;
}

/** What of its record changes, and the writes that go with it. @throws MusterError `over_budget`, `quota_exceeded`, `frozen`. */
export async function afford(
  world: Basics,
  cluster: Cluster.Cluster,
  change: Change,
): Promise<{ share: Share; writes: readonly Write[] }> {
  const old = { takes: cluster.takes ?? 0, hourly: cluster.cost?.hourly ?? 0 };
  const { takes = old.takes, hourly = old.hourly, machines, begins = false, from = cluster.owner } = change;
  const turn = { hourly, ...(machines && { machines }) };
  const { cost, extra } =
    hourly === old.hourly && machines === undefined
      ? { cost: cluster.cost, extra: 0 }
      : turned(cluster.cost, world.clock.now(), turn);
  // Of a clock that runs behind, the record's time is the later one.
  const at = cost === cluster.cost ? undefined : cost?.since;
  const shares =
    from === cluster.owner
      ? [{ user: from, takes: takes - old.takes, hourly: hourly - old.hourly, extra, at }]
      : [
          { user: from, takes: -old.takes, hourly: -old.hourly, extra, at },
          { user: cluster.owner, takes, hourly, extra: 0, at },
        ];
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const held = change.holds === undefined ? undefined : await holding(world.table, ref, change.holds);
  const writes = await Budget.take(world, cluster.workspace, shares, begins, held?.counts);
  return { share: { takes: takes === 0 ? undefined : takes, cost }, writes: [...writes, ...(held?.writes ?? [])] };
}
