/** What a host runs before its machine goes: how it is told, and what its word for the end of it leaves in the history. */
import * as Actor from "../actor/actor.ts";
import type * as Cluster from "../cluster/cluster.ts";
import { idOf, limitOf } from "../cluster/hook.ts";
import type { Idle } from "../cluster/idle.ts";
import * as Event from "../event/event.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import type { Hook, Hooked } from "./protocol.ts";

/** Seconds before the machine goes that are left for what it does not end by itself, and for its word to come home. */
const SPARE = 15;

/** Undefined unless its cluster waits for it. @param now epoch ms */
export function hookOf(cluster: Cluster.Cluster, idle: Idle, rank: number, now: number): Hook | undefined {
  const by = "hookBy" in cluster ? cluster.hookBy : undefined;
  if (!by || idle === "never" || idle.hook === undefined) return undefined;
  const left = Math.floor((by - now) / 1000);
  const own = Math.ceil((limitOf(idle) ?? 0) / 1000);
  const timeout = Math.max(1, Math.min(own, left - Math.min(SPARE, Math.ceil(left / 4))));
  return { id: idOf(cluster), run: idle.hook.run, timeout, env: environment(cluster, rank) };
}

/** The names that a job knows. */
function environment(cluster: Cluster.Cluster, rank: number): Record<string, string> {
  const { name, provider } = cluster;
  const offer = "launch" in cluster ? cluster.launch?.offer : undefined;
  const region = offer?.region ?? null;
  const info = JSON.stringify({ cluster_name: name, cloud: provider, region, zone: offer?.zone ?? null });
  return { MUSTER_CLUSTER_INFO: info, SKYPILOT_CLUSTER_INFO: info, MUSTER_HOST_RANK: String(rank) };
}

/** The line of a hook that failed; none when this was said before. */
export function noteOf(
  world: Pick<Basics, "clock" | "random">,
  { workspace, clusterId, hostId }: HostActor,
  { id, exitCode }: Hooked,
  before: Hooked | undefined,
): Write[] {
  if (before?.id === id || exitCode === 0) return [];
  const event = {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: hostId,
    kind: "host.hook_failed",
    clusterId,
    message: exitCode === undefined ? "its hook was cut off, or could not be run" : `its hook exited with ${exitCode}`,
    ...(exitCode !== undefined && { details: { exitCode } }),
  };
  return [{ put: Event.draft(Keys.cluster(workspace, clusterId), Actor.system(workspace), event), expect: "absent" }];
}
