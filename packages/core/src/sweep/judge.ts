/** Which of a cluster's machines may not stay as they are. Pure: nothing is asked, and nothing is done. */
import * as Cluster from "../cluster/cluster.ts";
import type { Machine } from "../ports/provider.ts";
import type { Finding } from "./finding.ts";

export const runs = (machine: Machine): boolean => machine.state === "running" || machine.state === "pending";

/**
 * @param cluster as it stands after the machines were listed; undefined: there is no record of it.
 * @param machines that bear the cluster's tag.
 */
export const judge = (
  provider: string,
  cluster: Cluster.Cluster | undefined,
  machines: readonly Machine[],
): readonly Finding[] =>
  machines.flatMap(machine => {
    if (!isOwned(cluster, machine)) return [orphan(provider, cluster, machine)];
    const isAstray = cluster?.state === "stopped" && runs(machine);
    return isAstray ? [found(provider, machine, "stop", "it runs, though its cluster is stopped")] : [];
  });

/** A person's hold is above the sweep, and not above the cluster: `down` ends what a living cluster owns, held or not. */
function orphan(provider: string, cluster: Cluster.Cluster | undefined, machine: Machine): Finding {
  const why = whyOf(cluster);
  return machine.isHeld
    ? found(provider, machine, "keep", `${why}; held by its tag`)
    : found(provider, machine, "terminate", why);
}

function whyOf(cluster: Cluster.Cluster | undefined): string {
  if (cluster === undefined) return "there is no record of its cluster";
  if (Cluster.isOver(cluster)) return `its cluster '${cluster.name}' is ${cluster.state}`;
  return `its cluster '${cluster.name}' has other machines now`;
}

function found(provider: string, machine: Machine, act: Finding["act"], why: string): Finding {
  const { workspace, clusterId, machineId: id, launchedAt: since, instanceType, market } = machine;
  return { workspace, provider, kind: "machine", id, clusterId, since, instanceType, market, act, why };
}

/** Owned: its cluster lives, and has the machine's generation and try. A draining cluster ends its machines itself. */
function isOwned(cluster: Cluster.Cluster | undefined, machine: Machine): boolean {
  if (cluster === undefined || Cluster.isOver(cluster)) return false;
  if (cluster.state === "draining") return true;
  const tries = "launch" in cluster && cluster.launch ? Cluster.triesOf(cluster.launch) : [];
  return cluster.generation === machine.generation && tries.includes(machine.try);
}
