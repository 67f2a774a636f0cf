/** Finding a cluster by id or name, and who may do what with it. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load, type Stored } from "../record.ts";
import { type Cluster, noun } from "./cluster.ts";

const NameLock = z.object({ clusterId: z.string() });

/** The cluster of this name that has not ended; undefined when there is none. */
export async function byName(table: Table, workspace: string, name: string): Promise<Stored<Cluster> | undefined> {
  const lock = await table.get(Keys.clusterName(workspace, name));
  return lock && load(table, noun, Keys.cluster(workspace, NameLock.parse(lock.data).clusterId));
}

/** @throws MusterError `not_found`, the same for another workspace's cluster as for none. */
export async function find(
  world: { readonly table: Table },
  actor: Actor,
  reference: string,
): Promise<Stored<Cluster>> {
  const cluster = Id.is("cluster", reference)
    ? await load(world.table, noun, Keys.cluster(actor.workspace, reference))
    : await byName(world.table, actor.workspace, reference);
  if (cluster) return cluster;
  throw new MusterError("not_found", `there is no cluster '${reference}'`, {
    hint: "see what there is with: muster status",
  });
}

/** @throws MusterError `forbidden` when the cluster is another's and not shared. */
export function requireUse(actor: Actor, cluster: Cluster): void {
  if (cluster.owner === actor.id || cluster.shared) return;
  throw new MusterError("forbidden", `cluster '${cluster.name}' belongs to ${cluster.owner}, who has not shared it`, {
    hint: "use another name, or ask for it to be made with --share",
  });
}

/** @throws MusterError `forbidden` unless the actor made the cluster or is an admin. */
export function requireManage(actor: Actor, cluster: Cluster): void {
  if (cluster.owner === actor.id || actor.role === "admin") return;
  throw new MusterError("forbidden", `cluster '${cluster.name}' belongs to ${cluster.owner}`, {
    hint: "its owner or an admin may do that",
  });
}
