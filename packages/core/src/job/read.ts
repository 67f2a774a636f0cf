/** Reading jobs: one, many, their history, and why one is where it is. */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { jobNodes } from "../cluster/group.ts";
import { eventsOf, type PageRequest } from "../cluster/read.ts";
import * as Slots from "../cluster/slots.ts";
import { MusterError } from "../error.ts";
import type { Event } from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load, type Stored } from "../record.ts";
import * as Job from "./job.ts";
import { Queued } from "./submit.ts";

type Part = { readonly table: Table };

/** @throws MusterError `not_found`, the same for another workspace's job as for none. */
export async function find(world: Part, actor: Actor, id: string): Promise<Stored<Job.Job>> {
  const job = await load(world.table, Job.noun, Keys.job(actor.workspace, id));
  if (job) return job;
  throw new MusterError("not_found", `there is no job '${id}'`, { hint: "see the latest with: muster queue" });
}

export const get = async (world: Part, actor: Actor, id: string): Promise<Job.Info> =>
  Job.info(await find(world, actor, id));

export async function events(
  world: Part,
  actor: Actor,
  id: string,
  request: PageRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const job = await find(world, actor, id);
  return eventsOf(world, Keys.job(actor.workspace, job.id), request);
}

export interface Why {
  readonly job: Job.Info;
  readonly cluster?: Cluster.Info | undefined;
  readonly reasons: string[];
}

/** Why a job is where it is, in sentences. */
export async function why(world: Part, actor: Actor, id: string): Promise<Why> {
  const job = await find(world, actor, id);
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  const reasons = job.state === "queued" ? await queuedReasons(world, job, cluster) : stateReasons(job);
  return { job: Job.info(job), ...(cluster && { cluster: Cluster.info(cluster) }), reasons };
}

async function queuedReasons(world: Part, job: Job.Job, cluster: Cluster.Cluster | undefined): Promise<string[]> {
  if (cluster === undefined || cluster.state !== "ready")
    return [`it waits for cluster '${job.clusterName}', which is ${cluster?.state ?? "gone"}`];
  const { pk } = Keys.cluster(job.workspace, job.clusterId);
  const queue = (await world.table.query({ pk, prefix: "Q#", limit: 1000 })).items.map(item => Queued.parse(item.data));
  const ahead = queue.findIndex(entry => entry.jobId === job.id);
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  const free = slots === undefined ? 0 : Slots.free(slots.hosts).length;
  const hosts = `it wants ${job.nodes} of ${jobNodes(cluster)} hosts, and ${free} ${free === 1 ? "is" : "are"} free`;
  return [
    ahead > 0 ? `${ahead} ${ahead === 1 ? "job is" : "jobs are"} ahead of it in the queue of '${cluster.name}'` : hosts,
    ...(ahead > 0 ? [hosts] : []),
  ];
}

function stateReasons(job: Job.Job): string[] {
  if ("failure" in job && job.failure)
    return [job.failure.message, ...(job.failure.hint === undefined ? [] : [job.failure.hint])];
  if (job.state === "starting") return ["it has its hosts, and waits for their agents to begin"];
  if (job.state === "cancelling") return ["it is being cancelled: its processes have a short grace to end"];
  return [`it is ${job.state}`];
}
