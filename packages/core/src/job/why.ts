/** Why a job is where it is, in sentences. */
import type { Actor } from "../actor/actor.ts";
import { isClaimable } from "../array/array.ts";
import { type Found, seek } from "../array/read.ts";
import { arrayReasons, asQueued } from "../array/why.ts";
import * as Cluster from "../cluster/cluster.ts";
import { jobNodes } from "../cluster/group.ts";
import { renewalReasons } from "../cluster/renewal.ts";
import * as Slots from "../cluster/slots.ts";
import * as Host from "../host/host.ts";
import { groupReasons } from "../jobgroup/read.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import * as Job from "./job.ts";
import { plural, sentence } from "./needs.ts";
import { outcomeOf } from "./outcome.ts";
import { Queued } from "./queue.ts";
import { find } from "./read.ts";
import { besideReasons, shortage } from "./shortage.ts";

type Part = { readonly table: Table; readonly clock: Clock };

export interface Why {
  readonly job: Job.Info;
  readonly cluster?: Cluster.Info | undefined;
  readonly reasons: string[];
}

/** @throws MusterError `not_found`. */
export async function why(world: Part, actor: Actor, id: string): Promise<Why> {
  const known = await load(world.table, Job.noun, Keys.job(actor.workspace, id));
  const array = known ? undefined : await seek(world, actor.workspace, id);
  if (array && !array.run) return whyArray(world, array);
  const job = known ?? array?.run ?? (await find(world, actor, id));
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  const reasons = await reasonsOf(world, job, cluster);
  return { job: Job.info(job), ...(cluster && { cluster: Cluster.info(cluster) }), reasons };
}

/** Of an array, and of a run of one that has not begun. */
async function whyArray(world: Part, found: Found): Promise<Why> {
  const { array, info } = found;
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(array.workspace, array.clusterId));
  const held = isClaimable(array) ? await reasonsOf(world, asQueued(found), cluster) : [];
  return { job: info, ...(cluster && { cluster: Cluster.info(cluster) }), reasons: arrayReasons(found, held) };
}

export async function reasonsOf(world: Part, job: Job.Job, cluster: Cluster.Cluster | undefined): Promise<string[]> {
  if (job.state === "queued") return queuedReasons(world, job, cluster);
  if (job.state === "waiting") return waitingReasons(world.table, job);
  if (job.state === "recovering") return pauseReasons(job);
  const taken = Job.isPlaced(job) ? await takenReasons(world, job) : [];
  return [...stateReasons(job), ...(await groupReasons(world, job)), ...taken];
}

/** Machines of its hosts that the cloud is taking back. */
async function takenReasons(
  { table, clock }: Part,
  { workspace, clusterId, placement }: Job.Placed,
): Promise<string[]> {
  const slots = await Slots.get(table, workspace, clusterId);
  const closed = placement.filter(rank => slots?.hosts.some(slot => slot.rank === rank && !slot.up));
  const hosts = await Promise.all(closed.map(rank => load(table, Host.noun, Keys.host(workspace, clusterId, rank))));
  return hosts.flatMap(host =>
    host && Host.isTaken(host, clock.now()) ? [`the cloud takes the machine of host ${host.rank} back`] : [],
  );
}

async function queuedReasons(
  { table, clock }: Part,
  job: Pick<Job.Job, "id" | "workspace" | "clusterId" | "clusterName" | "nodes" | "needs" | "group" | "exec">,
  cluster: Cluster.Cluster | undefined,
): Promise<string[]> {
  const slots = await Slots.get(table, job.workspace, job.clusterId);
  const renewal = renewalReasons(cluster, clock.now());
  if (renewal.length > 0) return renewal;
  if (cluster === undefined || slots === undefined || !Cluster.takesJobs(cluster))
    return [`it waits for cluster '${job.clusterName}', which is ${cluster?.state ?? "gone"}`];
  if (job.exec !== undefined) return besideReasons(job.exec.ranks, slots.hosts);
  return [
    ...(await queueReasons(table, job)),
    ...shortage(job, Slots.ofGroup(slots.hosts, job.group), jobNodes(cluster, job.group)),
  ];
}

/** Entries of the queue that are counted. */
const MOST_COUNTED = 1000;

/** Its position in the queue. */
async function queueReasons(
  table: Table,
  job: Pick<Job.Job, "id" | "workspace" | "clusterId" | "clusterName">,
): Promise<string[]> {
  const { pk } = Keys.cluster(job.workspace, job.clusterId);
  const { items } = await table.query({ pk, prefix: "Q#", limit: MOST_COUNTED });
  const found = items.findIndex(item => Queued.parse(item.data).jobId === job.id);
  const isFar = found < 0 && items.length === MOST_COUNTED;
  if (found <= 0 && !isFar) return [];
  const ahead = isFar ? `at least ${plural(MOST_COUNTED, "job")}` : plural(found, "job");
  return [`${ahead} ${found === 1 ? "is" : "are"} ahead of it in the queue of '${job.clusterName}'`];
}

/** Somebody holds it back, or others have not ended. */
async function waitingReasons(table: Table, { workspace, after = [], held, heldBy }: Job.Waiting): Promise<string[]> {
  const others = await Promise.all(after.map(one => waitedFor(table, workspace, one)));
  return [
    ...(held ? [`it is held back${heldBy === undefined ? "" : ` by ${heldBy}`}, until somebody releases it`] : []),
    ...(others.length > 0 ? [`it waits for ${sentence(others)}`] : []),
  ];
}

async function waitedFor(table: Table, workspace: string, { job, on }: Job.After): Promise<string> {
  const other = await outcomeOf(table, workspace, job);
  return `${job}, which is ${other?.state ?? "gone"}, to ${on === "success" ? "succeed" : "end"}`;
}

/** It has failed, and is tried again after a while. */
function pauseReasons({ failure, attempts, dueAt }: Extract<Job.Job, { state: "recovering" }>): string[] {
  const cause = failure === undefined ? [] : [failure.message];
  return [...cause, `after ${plural(attempts, "attempt")} it is tried again at ${new Date(dueAt).toISOString()}`];
}

function stateReasons(job: Job.Job): string[] {
  if ("failure" in job && job.failure)
    return [job.failure.message, ...(job.failure.hint === undefined ? [] : [job.failure.hint])];
  if (job.state === "starting") return ["it has its hosts, and waits for their agents to begin"];
  if (job.state === "cancelling") return ["it is being cancelled: its processes have a short grace to end"];
  return [`it is ${job.state}`];
}
