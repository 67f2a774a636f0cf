/** What hosts said with their last calls, as it stands in the table: an item for each, which every poll writes over. */
import * as z from "zod";
import { Hooked } from "../agent/protocol.ts";
import * as Keys from "../keys.ts";
import type { ClusterRef } from "../ports/provider.ts";
import type { Table } from "../ports/table.ts";
import { Pulse } from "./host.ts";

/** A pulse as it is stored. */
export const Stored = Pulse.extend({
  /** Epoch ms since when the host has called and not said how long it has been quiet. */
  untoldSince: z.number().optional(),
  /** The last hook that was over there; see hook.ts. */
  hooked: Hooked.optional(),
});
export type Stored = z.infer<typeof Stored>;

/** By rank. */
export async function pulsesOf(
  table: Table,
  { workspace, clusterId }: ClusterRef,
): Promise<ReadonlyMap<number, Stored>> {
  const { pk } = Keys.cluster(workspace, clusterId);
  const pulses = new Map<number, Stored>();
  let cursor: string | undefined;
  do {
    const page = await table.query({ pk, prefix: "PULSE#", limit: 1000, ...(cursor !== undefined && { cursor }) });
    for (const item of page.items) pulses.set(Number(item.sk.slice("PULSE#".length)), Stored.parse(item.data));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pulses;
}
