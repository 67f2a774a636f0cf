/**
 * What ends a machine when nobody ends it from outside: how long it may live without an answer of ours, and when it ends
 * whatever it does. The host keeps both; see the agent.
 */
import * as Cluster from "../cluster/cluster.ts";
import { deadline } from "../cluster/idle.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import type { PowerOff } from "./protocol.ts";

/** How much later than the control plane a host acts by itself, in seconds: it is the last to know. */
const MARGIN = 900;

/** Undefined where the cluster's policy is to keep it, for as long as nobody says otherwise. */
export async function powerOffOf(
  world: { readonly table: Table; readonly clock: Clock },
  host: HostActor,
): Promise<PowerOff | undefined> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  if (cluster === undefined) return undefined;
  const { idle, endBy } = cluster;
  const now = world.clock.now();
  const until = deadline(idle, now) ?? endBy;
  if (until === undefined) return undefined;
  const afterSilence = Math.max(0, Math.ceil((until - now) / 1000)) + MARGIN;
  return { afterSilence, ...(endBy !== undefined && { at: endBy }) };
}
