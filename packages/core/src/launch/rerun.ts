/** Running a job once more: its task as it was submitted, on its cluster while that is there, or on one like it. */
import type { Actor } from "../actor/actor.ts";
import { seek } from "../array/read.ts";
import * as Cluster from "../cluster/cluster.ts";
import { byName } from "../cluster/find.ts";
import { groupsOf } from "../cluster/group.ts";
import { isMadeUp } from "../cluster/name.ts";
import { MusterError } from "../error.ts";
import type * as Job from "../job/job.ts";
import { find } from "../job/read.ts";
import { taskOf, taskOfArray } from "../job/submission.ts";
import * as Keys from "../keys.ts";
import type { Edge } from "../ports/world.ts";
import { load } from "../record.ts";
import type { Task } from "../task/task.ts";
import { create } from "./create.ts";
import type * as Launch from "./launch.ts";

/**
 * @throws MusterError `not_found` (the job), `conflict` (it had secrets, and none were given; it was commands on hosts; or its cluster is gone and was
 * of several kinds of hosts), and what a launch throws.
 */
export async function rerun(world: Edge, actor: Actor, id: string, request: Launch.Rerun): Promise<Launch.Info> {
  const { job, task } = await submitted(world, actor, id);
  if (job.exec) throw isExec(job);
  if (job.hasSecrets && request.secrets === undefined && request.secretFiles === undefined) throw withoutSecrets(job);
  const cluster = request.cluster ?? (await placeOf(world, job));
  const group = await groupOn(world, job, cluster);
  return create(world, actor, {
    task: {
      ...task,
      secrets: request.secrets ?? {},
      secretFiles: request.secretFiles ?? {},
      ...(request.labels && { labels: { ...task.labels, ...request.labels } }),
      ...(task.name === undefined && job.name !== undefined && { name: job.name }),
    },
    ...(cluster !== undefined && { cluster }),
    priority: request.priority ?? job.priority,
    ...(group !== undefined && { group }),
    down: job.down,
    ...(job.managed && { managed: true }),
    shared: false,
  });
}

/** What was submitted: a job, a whole array, or one run of it, with the values that it had. */
async function submitted(world: Edge, actor: Actor, id: string): Promise<{ job: Ran; task: Task }> {
  const found = await seek(world, actor.workspace, id);
  if (found && found.index === undefined)
    return { job: found.array, task: await taskOfArray(world.table, found.array) };
  const job = await find(world, actor, id);
  const { runs, ...task } = await taskOf(world.table, job);
  return { job, task };
}

type Ran = Pick<
  Job.Job,
  | "id"
  | "workspace"
  | "clusterId"
  | "clusterName"
  | "name"
  | "priority"
  | "group"
  | "down"
  | "managed"
  | "hasSecrets"
  | "exec"
>;

/** Name of the cluster to run on; undefined for a new one with a name made up for it. */
async function placeOf(world: Pick<Edge, "table">, job: Ran): Promise<string | undefined> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(job.workspace, job.clusterId));
  // One that is a managed job's own is for nobody else, as long as it is there.
  if (cluster === undefined || !(Cluster.isLeaving(cluster) || job.managed)) return job.clusterName;
  if (groupsOf(cluster).length > 1)
    throw new MusterError(
      "conflict",
      `cluster '${cluster.name}', which had several kinds of hosts, is ${cluster.state}`,
      {
        hint: "make one like it first (muster up), and name it: muster rerun JOB -c NAME",
      },
    );
  return isMadeUp(cluster) ? undefined : cluster.name;
}

/** The hosts that it was for. A cluster that is made for it has hosts of one kind, which are. */
async function groupOn(
  { table }: Pick<Edge, "table">,
  { workspace, group }: Ran,
  cluster: string | undefined,
): Promise<string | undefined> {
  if (group === undefined || cluster === undefined) return undefined;
  return (await byName(table, workspace, cluster)) && group;
}

const isExec = ({ id, clusterName }: Ran): MusterError =>
  new MusterError("conflict", `${id} was commands on hosts, not a task`, {
    hint: `send them again: muster exec ${clusterName} -- COMMAND`,
  });

const withoutSecrets = (job: Ran): MusterError =>
  new MusterError("conflict", `job ${job.id} had secrets, which are not kept when it has ended`, {
    hint: "give them again: muster rerun JOB --secret NAME=value; or store them once: muster secrets set NAME",
  });
