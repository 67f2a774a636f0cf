/** That somebody follows a job's log: its hosts then ship what it prints at once. */
import * as z from "zod";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import { type Table, WriteConflict } from "../ports/table.ts";

type Part = { readonly table: Table; readonly clock: Clock };

/** How long one request to follow keeps the hosts shipping at once, in ms, and when it is renewed. */
const FOLLOW = 60_000;
const RENEW = 20_000;

const Follow = z.object({ until: z.number() });

export async function askToFollow(world: Part, job: Job.Job): Promise<void> {
  const key = Keys.follow(job.workspace, job.id);
  const before = await world.table.get(key);
  const now = world.clock.now();
  if (before && Follow.parse(before.data).until > now + RENEW) return;
  const ranks = Job.isPlaced(job) ? job.placement : [];
  const put = {
    ...key,
    type: "follow",
    data: { until: now + FOLLOW, workspace: job.workspace, clusterId: job.clusterId, ranks },
    expiresAt: now + 24 * FOLLOW,
  };
  await world.table.write([{ put, expect: before?.version ?? "absent" }]).catch(error => {
    // Somebody else has just asked the same.
    if (!(error instanceof WriteConflict)) throw error;
  });
}

/** Epoch ms until which somebody follows the job's log; undefined when nobody does. */
export async function followedUntil(world: Part, job: Job.Job): Promise<number | undefined> {
  const item = await world.table.get(Keys.follow(job.workspace, job.id));
  const until = item && Follow.parse(item.data).until;
  return until !== undefined && until > world.clock.now() ? until : undefined;
}
