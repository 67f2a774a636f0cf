/** booting → ready, or, when the machines do not call home in time: stopped again when their disks matter, else failed. */
import * as Actor from "../../actor/actor.ts";
import type { World } from "../../ports/world.ts";
import { advance } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { register } from "../register.ts";
import { fail } from "./fail.ts";
import type { In, Outcome } from "./step.ts";

export async function boot(world: World, cluster: In<"booting">): Promise<Outcome> {
  if (await register(world, { workspace: cluster.workspace, clusterId: cluster.id })) return "again";
  if (world.clock.now() < cluster.bootBy) return "wait";
  const message = "not all hosts called home in time";
  if (!cluster.restarted)
    return fail(world, cluster, { code: "boot_timeout", message, hint: "see the hosts' own logs, or launch again" });
  const move = advance(
    world,
    Cluster.kind,
    Actor.system(cluster.workspace),
    cluster,
    "stop",
    // Nobody stopped it by hand: the jobs that wait for it start it again.
    { dueAt: world.clock.now(), byPolicy: true },
    { message },
  );
  await world.table.write(move.writes);
  return "again";
}
