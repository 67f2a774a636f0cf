/**
 * What a cluster counts for, in an item beside its record: it changes in the transaction that changes the workspace's count, so
 * that each cluster is counted once, and given back once. One that was made before there were quotas has none, and is counted
 * from when its machines are next started, stopped or chosen.
 */
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Item, Table, Write } from "../ports/table.ts";
import { type Counts, difference, Held, isSome, NONE } from "./quota.ts";

export interface Holding {
  /** How much more the workspace has alive. */
  readonly counts: Counts;
  readonly writes: readonly Write[];
}

/** @param after null: nothing any more */
export async function holding(
  table: Table,
  { workspace, clusterId }: ClusterRef,
  after: Held | null,
): Promise<Holding> {
  const key = Keys.holds(workspace, clusterId);
  const item = await table.get(key);
  const counts = difference(heldOf(item), after ?? undefined);
  if (!isSome(counts)) return { counts: NONE, writes: [] };
  if (after !== null) return { counts, writes: [put(workspace, clusterId, after, item?.version)] };
  return { counts, writes: item === undefined ? [] : [{ remove: key, expect: item.version }] };
}

/** Of a new cluster. */
export const beginning = ({ workspace, clusterId }: ClusterRef, held: Held): Holding => ({
  counts: difference(undefined, held),
  writes: [put(workspace, clusterId, held)],
});

const put = (workspace: string, clusterId: string, data: Held, version?: number): Write => ({
  put: { ...Keys.holds(workspace, clusterId), type: "holds", data },
  expect: version ?? "absent",
});

const heldOf = (item: Item | undefined): Held | undefined => item && Held.parse(item.data);
