/** What a host is to do: its part of the job in its slot, with all that it needs. */
import * as Attempt from "../attempt/attempt.ts";
import * as Cluster from "../cluster/cluster.ts";
import type { Slots } from "../cluster/slots.ts";
import type { HostActor } from "../host/authenticate.ts";
import { GRACE } from "../job/cancel.ts";
import { environment } from "../job/environment.ts";
import type * as Job from "../job/job.ts";
import { taskOf } from "../job/submit.ts";
import * as Keys from "../keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import * as Upload from "../upload/upload.ts";
import type { Assignment, LogPolicy } from "./protocol.ts";

/** How long a grant to write logs or read inputs lasts, in ms; polls renew it. */
const GRANT = 3_600_000;
const MAX_CHUNK = 5_000_000;

export type Part = { readonly table: Table; readonly blobs: Blobs; readonly clock: Clock };

export const logPolicy = (world: Part, job: Job.Placed, rank: number): Promise<LogPolicy> =>
  world.blobs.postPolicy({
    prefix: Attempt.logPrefix(job.workspace, job.id, job.fence, rank),
    maxBytes: MAX_CHUNK,
    expiresAt: world.clock.now() + GRANT,
  });

/** The assignment of `host`'s part in the job. */
export async function assign(world: Part, host: HostActor, job: Job.Placed, slots: Slots): Promise<Assignment> {
  const task = await taskOf(world.table, job);
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  const offer =
    cluster && "launch" in cluster && cluster.launch ? cluster.launch.offer : { provider: cluster?.provider ?? "" };
  const rank = job.placement.indexOf(host.rank);
  const hosts = job.placement.flatMap(place => slots.hosts.filter(slot => slot.rank === place));
  const until = world.clock.now() + GRANT;
  const input = async (sha256: string) => ({
    sha256,
    url: await world.blobs.signedGet(Upload.blobKey(job.workspace, sha256), until),
  });
  return {
    jobId: job.id,
    fence: job.fence,
    rank,
    dialect: task.dialect,
    ...(task.setup !== undefined && { setup: task.setup }),
    ...(task.run !== undefined && { run: task.run }),
    env: environment(job, task, { rank, hosts, offer }),
    secretNames: Object.keys(task.secrets),
    ...(task.workdir !== undefined && { workdir: await input(task.workdir) }),
    mounts: await Promise.all(
      task.mounts.map(async ({ path, kind, mode, upload }) => ({
        ...(await input(upload)),
        path,
        kind,
        ...(mode !== undefined && { mode }),
      })),
    ),
    ...(task.timeout !== undefined && { timeout: task.timeout }),
    grace: GRACE,
    logs: await logPolicy(world, job, rank),
  };
}
