/** The record as it stands, whatever port anybody else sees it through. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Keys from "@muster/core/keys.ts";
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import type { Sim } from "../sim.ts";

export const clusterOf = (sim: Sim, { workspace, clusterId }: ClusterRef): Cluster.Cluster | undefined =>
  sim.db.get(Keys.cluster(workspace, clusterId))?.data as unknown as Cluster.Cluster | undefined;
