/** Which of a cluster's silent hosts may be given up now: see `host/brake.ts`. */
import * as Brake from "../../host/brake.ts";
import type { Silent } from "../../host/silence.ts";
import type { Machine } from "../../ports/provider.ts";
import type { Write } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { hostsOf } from "../register.ts";
import { providerOf } from "./provider.ts";
import type { In } from "./step.ts";

/**
 * @param gone of whom enough is known otherwise.
 * @returns the ranks of those that may be given up, and the writes that go with that. Nobody, and somebody is told, when too
 *   many are silent at once.
 */
export async function release(
  world: World,
  cluster: In<"ready">,
  gone: readonly Silent[],
  machines: readonly Machine[],
): Promise<{ readonly ranks: readonly number[]; readonly writes: readonly Write[] }> {
  const ref = { workspace: cluster.workspace, clusterId: cluster.id };
  const hosts = new Map((await hostsOf(world.table, ref)).map(host => [host.rank, host]));
  const suspects = gone.map(({ rank, heard }) => ({ rank, heard, interruptedAt: hosts.get(rank)?.interruptedAt }));
  const { generation } = cluster;
  const proven = await Brake.provenGone(providerOf(world, cluster), { ...ref, generation }, suspects, machines);
  const ranks = gone.map(({ rank }) => rank);
  // Those that a job has lost were counted then.
  const isSettled = (rank: number) => proven.has(rank) || hosts.get(rank)?.state === "lost";
  const unproven = ranks.filter(rank => !isSettled(rank));
  if (unproven.length === 0) return { ranks, writes: [] };
  // It cannot be given up in part.
  const counted = await Brake.release(world, cluster.provider, unproven.length, cluster.suspectedAt ?? Infinity);
  if (counted !== undefined) return { ranks, writes: [counted] };
  await Brake.tell(world, ref, unproven.length);
  return { ranks: ranks.filter(isSettled), writes: [] };
}
