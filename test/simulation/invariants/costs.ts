/** What must hold of costs, with every commit: they follow the machines that the records tell of, and nothing else. */
import type { Budget } from "@muster/core/budget/budget.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { over, rateOf } from "@muster/core/cost/amount.ts";
import { type Cost, costAt, LEAST } from "@muster/core/cost/cost.ts";
import { rolled } from "@muster/core/cost/meter.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

export function watchCosts(sim: Sim): void {
  sim.db.observers.push((_, written) => {
    for (const one of written) if ((one.after ?? one.before)?.type === "cluster") checkCluster(sim, one);
  });
}

const NONE: Cost = { accrued: 0, since: 0, hourly: 0 };

/** What a cluster's machines cost by its record; undefined where that hangs on what was before. Counted here anew. */
function rateIn(cluster: Cluster.Cluster): number | undefined {
  const launch = "launch" in cluster ? cluster.launch : undefined;
  const made = launch?.made ?? [];
  const priced = (offers: readonly { readonly hourly: number }[]): number =>
    (cluster.groups ?? [])
      .slice(0, offers.length)
      .reduce((sum, { nodes }, index) => sum + rateOf(offers[index]?.hourly ?? 0, nodes), 0);
  switch (cluster.state) {
    case "requested":
    case "terminated":
    case "failed":
    case "stopped":
    case "starting":
      return 0;
    case "launching":
      return priced(made);
    case "booting":
    case "setting_up":
    case "ready":
    case "stopping":
    case "broken":
      return launch && priced([...made, launch.offer]);
    default:
      return undefined;
  }
}

/** I33: the rate is that of the machines on record, and what was accrued since the last change is rate times time. */
function checkCluster(sim: Sim, { before, after }: Written): void {
  if (after === undefined) return;
  const cluster = after.data as unknown as Cluster.Cluster;
  const was = (before?.data as unknown as Cluster.Cluster | undefined)?.cost ?? NONE;
  const is = cluster.cost ?? NONE;
  const rate = rateIn(cluster);
  if (rate !== undefined && is.hourly !== rate)
    sim.violate("I33", `cluster ${cluster.id} is ${cluster.state}, costs ${is.hourly} per hour, and should ${rate}`);
  const more = (is.accrued ?? 0) - (was.accrued ?? 0);
  const least = over(was.hourly, is.since - was.since);
  const most = least + (was.startedAt === undefined || is.startedAt !== undefined ? 0 : over(was.hourly, LEAST));
  if (more < least || more > most)
    sim.violate("I33", `cluster ${cluster.id} has cost ${more} more, and should ${least} to ${most}`);
  checkSum(sim, cluster.workspace);
}

/** I33: what a workspace has spent is what its clusters have cost; each turn of a meter rounds once. */
function checkSum(sim: Sim, workspace: string): void {
  const item = sim.db.get(Keys.budget(workspace));
  const { meter } = (item?.data ?? {}) as unknown as Budget;
  const clusters = [...sim.db.all("cluster")]
    .map(item => item.data as unknown as Cluster.Cluster)
    .filter(cluster => cluster.workspace === workspace);
  // Whoever wrote last may have a clock that runs ahead; a cluster's cost may turn, and the rate of all stay as it is.
  const now = Math.max(sim.now, meter?.at ?? 0, ...clusters.map(({ cost }) => cost?.since ?? 0));
  // A start that has not lasted a minute is paid for in full when it ends.
  const cost = clusters.reduce((sum, { cost: one }) => {
    const { startedAt: _, ...plain } = one ?? NONE;
    return sum + costAt(plain, now);
  }, 0);
  const last = rolled(meter, now);
  const past = [...sim.db.all("month")]
    .map(({ data }) => data)
    .filter(data => data.workspace === workspace && !data.user);
  const spent = [...past, ...last.closed, last.meter].reduce((sum, one) => sum + Number(one.spent), 0);
  const slack = (item?.version ?? 0) + 2 * clusters.length + 2;
  if (Math.abs(spent - cost) > slack)
    sim.violate("I33", `${workspace} has spent ${spent}; its clusters have cost ${cost}`);
}
