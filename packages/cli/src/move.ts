/** Commands that move clusters: each is asked for, then watched until it is there. */

import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { soFar } from "@muster/core/cost/cost.ts";
import { MusterError } from "@muster/core/error.ts";
import { money } from "./format.ts";
import { resting } from "./idle.ts";
import type { Output } from "./output.ts";
import { step } from "./progress.ts";
import * as Shown from "./shown.ts";
import * as Watch from "./watch.ts";

export interface Move {
  /** Asks for it. */
  readonly ask: (client: Client, cluster: string) => Promise<Cluster.Info>;
  /** Whether it has come as far as it will. */
  readonly isThere: (cluster: Cluster.Info) => boolean;
  /** The states that are a success. */
  readonly good: readonly Cluster.State[];
}

/** Moves one cluster, and says how it went. @throws MusterError when it ends elsewhere. */
async function move(
  out: Output,
  client: Client,
  before: Cluster.Info,
  { ask, isThere, good }: Move,
  detach: boolean,
): Promise<Cluster.Info> {
  using progress = step(out, `cluster ${before.name}`);
  const asked = await ask(client, before.id);
  const after = detach
    ? asked
    : await Watch.cluster({ client }, before.id, isThere, noun => progress.show(Shown.doing(noun.state)));
  const path = before.state === after.state ? `is ${after.state}` : `${before.state} → ${after.state}`;
  if (detach || good.includes(after.state)) {
    const now = Date.now();
    const cost = after.cost === undefined ? [] : [`it has cost ${money(soFar(after.cost, now))}`];
    progress.done([path, ...cost, resting(after, now)].filter(part => part !== undefined).join("; "));
    return after;
  }
  progress.fail(path);
  const { failure } = after;
  throw new MusterError("launch_failed", failure?.message ?? `cluster '${after.name}' is ${after.state}`, {
    ...(failure?.hint !== undefined && { hint: failure.hint }),
    cluster: after,
  });
}

/** Moves clusters, all at once. */
export async function moveAll(
  out: Output,
  client: Client,
  before: readonly Cluster.Info[],
  how: Move,
  detach: boolean,
): Promise<void> {
  const after = await Promise.allSettled(before.map(cluster => move(out, client, cluster, how, detach)));
  const moved = after.flatMap(result => (result.status === "fulfilled" ? [result.value] : []));
  // Where none was, the failure is the answer, and an empty list would look like one.
  if (moved.length > 0) out.data(moved);
  const failed = after.find(result => result.status === "rejected");
  if (failed) throw failed.reason;
}
