/** A job that has not begun by the time it had for that ends, with what it waited for as the reason. */
import * as Actor from "../../actor/actor.ts";
import type * as Cluster from "../../cluster/cluster.ts";
import type { Basics } from "../../ports/world.ts";
import type { Stored } from "../../record.ts";
import { ending } from "../end.ts";
import type * as Job from "../job.ts";
import { reasonsOf } from "../why.ts";

export async function endTooLate(world: Basics, job: Stored<Job.Job>, cluster: Cluster.Cluster): Promise<void> {
  const reasons = await reasonsOf(world, job, cluster);
  const message = `it has not begun in the time that it had for that: ${reasons.join("; ")}`;
  const hint = "give it more time with queue_timeout, or run it where there is room";
  const failure = { code: "queue_timeout", message, hint };
  const { writes } = await ending(world, Actor.system(job.workspace), job, "expire", { failure }, { message });
  await world.table.write(writes);
}
