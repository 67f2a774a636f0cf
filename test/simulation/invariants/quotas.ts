/** What must hold of quotas, with every commit: the workspace counts what its clusters hold, and those hold what is alive. */
import type { Budget } from "@muster/core/budget/budget.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Keys from "@muster/core/keys.ts";
import { type Counts, type Held, NONE } from "@muster/core/quota/quota.ts";
import type { Sim } from "../sim.ts";

export function watchQuotas(sim: Sim): void {
  sim.db.observers.push((_, written) => {
    for (const { before, after } of written) {
      const item = after ?? before;
      if (item?.type === "cluster") checkCluster(sim, item.data as unknown as Cluster.Cluster);
    }
  });
}

/** States in which its machines run, or may. A draining one may have been resting. */
const RUNS: ReadonlySet<string> = new Set([
  "requested",
  "launching",
  "booting",
  "setting_up",
  "ready",
  "starting",
  "broken",
]);

/** I34: what is alive is counted once, what has ended is not, and the workspace's count is the sum. */
function checkCluster(sim: Sim, cluster: Cluster.Cluster): void {
  const { workspace, id, state, nodes } = cluster;
  const held = sim.db.get(Keys.holds(workspace, id))?.data as unknown as Held | undefined;
  const is = held === undefined ? "nothing" : `${held.hosts} hosts`;
  if (Cluster.isOver(cluster) !== (held === undefined))
    sim.violate("I34", `cluster ${id} is ${state}, and holds ${is}`);
  if (RUNS.has(state) && held?.hosts !== nodes)
    sim.violate("I34", `cluster ${id} of ${nodes} is ${state}, and holds ${is}`);
  if (state === "stopped" && held?.hosts !== 0) sim.violate("I34", `cluster ${id} stands still, and holds ${is}`);
  const { held: counts = NONE } = (sim.db.get(Keys.budget(workspace))?.data ?? {}) as unknown as Budget;
  const sum = sumOf(sim, workspace);
  if (JSON.stringify(sum) !== JSON.stringify(counts))
    sim.violate("I34", `${workspace} counts ${JSON.stringify(counts)}; its clusters hold ${JSON.stringify(sum)}`);
}

function sumOf(sim: Sim, workspace: string): Counts {
  const prefix = `W#${workspace}#C#`;
  const all = [...sim.db.all("holds")]
    .filter(({ pk }) => pk.startsWith(prefix))
    .map(({ data }) => data as unknown as Held);
  return {
    clusters: all.length,
    hosts: all.reduce((sum, { hosts }) => sum + hosts, 0),
    gpus: all.reduce((sum, { gpus = 0 }) => sum + gpus, 0),
  };
}
