/** The local NVMe disks of machines: a stop empties them, and that is said before it happens. */
import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Launch from "@muster/core/launch/launch.ts";

type Planned = Pick<Launch.Plan["groups"][number], "name" | "nodes" | "offers">;

/** `local NVMe disks: 900 GB on each host, lost when it stops or ends`; nothing where there are none. */
export function planned(groups: readonly Planned[]): string | undefined {
  const found = groups.flatMap(({ name, nodes, offers: [offer] }) =>
    offer?.localDisk === undefined ? [] : [{ name, text: sizeOf(offer.localDisk, nodes) }],
  );
  if (found.length === 0) return undefined;
  const each = groups.length === 1 ? found.map(one => one.text) : found.map(one => `${one.name} ${one.text}`);
  return `local NVMe disks: ${each.join("; ")}, lost when it stops or ends`;
}

const sizeOf = (gb: number, nodes: number): string => `${gb} GB${nodes === 1 ? "" : " on each host"}`;

/** The plan with the local disks of machines that are there already: a cluster's record does not have them. */
export async function completed(client: Client, plan: Launch.Plan): Promise<Launch.Plan> {
  if (!plan.reused && plan.pool === undefined) return plan;
  const groups = await Promise.all(
    (plan.groups ?? []).map(async group => ({ ...group, offers: await Promise.all(group.offers.map(withDisk)) })),
  );
  return { ...plan, groups };

  async function withDisk<T extends Planned["offers"][number]>(offer: T): Promise<T> {
    if (offer.localDisk !== undefined) return offer;
    const localDisk = await sizeOfType(client, plan.provider, offer.instanceType);
    return localDisk === 0 ? offer : { ...offer, localDisk };
  }
}

/** What is said of one that a stop would empty: `its local NVMe disks (900 GB) are emptied by a stop`. */
export async function warning(client: Client, cluster: Cluster.Info): Promise<string | undefined> {
  const types = [...new Set(cluster.groups.flatMap(group => group.instanceType ?? []))];
  const sizes = await Promise.all(types.map(type => sizeOfType(client, cluster.provider, type)));
  const most = Math.max(0, ...sizes);
  if (most === 0) return undefined;
  return `its local NVMe disks (${types.length === 1 ? "" : "up to "}${sizeOf(most, cluster.nodes)}) are emptied by a stop`;
}

/** GB. Nothing waits for a catalog that cannot be read just now. */
async function sizeOfType(client: Client, provider: string, instanceType: string): Promise<number> {
  try {
    const { items } = await client.providers.catalog({ query: { provider, instanceType } });
    return items.find(one => one.instanceType === instanceType)?.localDisk ?? 0;
  } catch (error) {
    if (error instanceof MusterError) return 0;
    throw error;
  }
}
