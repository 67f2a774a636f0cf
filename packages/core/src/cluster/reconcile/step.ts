/** What the reconcilers share. */
import type { World } from "../../ports/world.ts";
import type { Stored } from "../../record.ts";
import type * as Cluster from "../cluster.ts";

/** `again`: something changed, look once more now. `wait`: nothing to do until the record's deadline. */
export type Outcome = "again" | "wait";

export type In<S extends Cluster.State> = Stored<Extract<Cluster.Cluster, { state: S }>>;

export type Step<S extends Cluster.State> = (world: World, cluster: In<S>) => Promise<Outcome>;
