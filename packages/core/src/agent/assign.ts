/** What a host is to do: its part of the job in its slot, with all that it needs. */
import { isNvidia } from "../accelerator/names.ts";
import * as Attempt from "../attempt/attempt.ts";
import * as Cluster from "../cluster/cluster.ts";
import type { Slot, Slots } from "../cluster/slots.ts";
import type { HostActor } from "../host/authenticate.ts";
import { GRACE } from "../job/cancel.ts";
import { environment } from "../job/environment.ts";
import type * as Job from "../job/job.ts";
import { taskOf } from "../job/submit.ts";
import { fellows } from "../jobgroup/names.ts";
import * as Keys from "../keys.ts";
import { LOG_QUOTA } from "../log/quota.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Log } from "../ports/ports.ts";
import type { SecretsReader } from "../ports/secrets.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import type { Task } from "../task/task.ts";
import * as Upload from "../upload/upload.ts";
import { gang } from "./gang.ts";
import { keeping } from "./keep.ts";
import type { Assignment, LogPolicy } from "./protocol.ts";
import { secretsOf } from "./secrets.ts";

/** How long a grant to write logs or read inputs lasts, in ms; polls renew it. */
const GRANT = 3_600_000;
const MAX_CHUNK = 5_000_000;

export type Part = Basics & { readonly blobs: Blobs; readonly secrets: SecretsReader; readonly log: Log };

export const logPolicy = (world: Pick<Part, "blobs" | "clock">, job: Job.Placed, rank: number): Promise<LogPolicy> =>
  world.blobs.postPolicy({
    prefix: Attempt.logPrefix(job.workspace, job.id, job.fence, rank),
    maxBytes: MAX_CHUNK,
    expiresAt: world.clock.now() + GRANT,
  });

/** The assignment of `host`'s part in the job; undefined while, or when, the job's secrets cannot be had. */
export async function assign(
  world: Part,
  host: HostActor,
  job: Job.Placed,
  slots: Slots,
): Promise<Assignment | undefined> {
  const rank = job.placement.indexOf(host.rank);
  const submitted = await taskOf(world.table, job);
  const kept = await secretsOf(world, job, submitted, rank);
  if (kept === undefined) return undefined;
  const task = { ...submitted, secrets: kept.secrets };
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(host.workspace, host.clusterId));
  const launch = cluster && "launch" in cluster ? cluster.launch : undefined;
  // Groups may be in different zones: the machine itself knows best.
  const zone = host.host.facts?.zone ?? launch?.offer.zone;
  const offer = { provider: cluster?.provider ?? "", region: launch?.offer.region, zone };
  const hosts = job.placement.flatMap(place => slots.hosts.filter(slot => slot.rank === place));
  const found = await fellows(world.table, job, slots.hosts);
  const until = world.clock.now() + GRANT;
  const input = async (sha256: string) => ({
    sha256,
    url: await world.blobs.signedGet(Upload.blobKey(job.workspace, sha256), until),
  });
  return {
    jobId: job.id,
    fence: job.fence,
    rank,
    onError: task.onError,
    ...(task.setup !== undefined && { setup: task.setup }),
    ...(task.run !== undefined && { run: task.run }),
    env: { ...environment(job, task, { rank, hosts, offer }), ...found.env },
    ...(found.hostNames && { hostNames: [...found.hostNames] }),
    ...gpusOf(job, hosts[rank]),
    ...(task.container && { container: task.container }),
    ...(await gang(world, host, job, task)),
    secretNames: Object.keys(task.secrets),
    ...(task.workdir !== undefined && { workdir: await workdirOf(task.workdir, input) }),
    mounts: await Promise.all(task.mounts.map(mount => mountOf(mount, input))),
    packages: task.packages,
    secretFiles: kept.files,
    ...(task.timeout !== undefined && { timeout: task.timeout }),
    grace: GRACE,
    ...(await keeping(world, job, task, rank)),
    logs: await logPolicy(world, job, rank),
    logQuota: LOG_QUOTA,
  };
}

/** The numbers of its GPUs, where it has not the whole host, and how many it asked for. What runs beside all jobs sees all. */
function gpusOf(job: Job.Placed, slot: Slot | undefined): Pick<Assignment, "gpus" | "gpusAsked" | "beside"> {
  if (job.exec) return { beside: { again: job.exec.force ?? false } };
  const run = slot?.runs.find(one => one.jobId === job.id);
  if (slot === undefined || run === undefined || run.whole) return {};
  const { gpus = [] } = run;
  // What is not NVIDIA's does not show where hosts look for GPUs.
  const isShown = slot.gpu === undefined || isNvidia(slot.gpu);
  return { gpus, ...(gpus.length > 0 && isShown && { gpusAsked: gpus.length }) };
}

type ToInput = (sha256: string) => Promise<{ readonly url: string; readonly sha256: string }>;

const workdirOf = async (workdir: NonNullable<Task["workdir"]>, input: ToInput) =>
  "packs" in workdir ? { packs: await Promise.all(workdir.packs.map(input)) } : workdir;

async function mountOf(mount: Task["mounts"][number], input: ToInput): Promise<Assignment["mounts"][number]> {
  if (mount.kind === "bucket") return mount;
  if (mount.kind === "folder") return { ...mount, packs: await Promise.all(mount.packs.map(input)) };
  const { upload, mode, ...rest } = mount;
  return { ...rest, ...(await input(upload)), ...(mode !== undefined && { mode }) };
}
