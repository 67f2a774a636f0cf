/** A new job group: its cluster, with a group of hosts for each task, and all its jobs, in one transaction. */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import * as ClusterCreate from "../cluster/create.ts";
import { byName } from "../cluster/find.ts";
import type * as Group from "../cluster/group.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Submit from "../job/submit.ts";
import type { Edge } from "../ports/world.ts";
import { begin } from "../record.ts";
import * as Secrets from "../secret/keep.ts";
import * as Kept from "../secret/kept.ts";
import { requireStored } from "../secret/stored.ts";
import { resolve } from "../target/resolve.ts";
import { contained } from "../task/container.ts";
import * as JobGroup from "./jobgroup.ts";
import { LOOK } from "./reconcile.ts";

interface Member extends JobGroup.Asked {
  readonly jobId: string;
}

/**
 * @throws MusterError `name_taken` (also for a cluster that is there: its hosts may be others'), `no_offer`, `unsupported`,
 * `over_budget`, `invalid_request`, `not_found` (a target, or a secret of the workspace): nothing was launched.
 */
export function create(world: Edge, actor: Actor, request: JobGroup.Create): Promise<JobGroup.Launched> {
  const id = Id.create(world.random, "jobGroup");
  const members = request.tasks.map(asked => ({ ...asked, jobId: Id.create(world.random, "job") }));
  return keepingAll(world, actor, members, keep =>
    retrying(() => createOnce(world, actor, request, { id, members, keep })),
  );
}

type Keep = () => Promise<void>;

/** The secrets of each job are kept under its own id. */
function keepingAll<T>(
  world: Edge,
  actor: Actor,
  [first, ...others]: readonly Member[],
  make: (keep: Keep) => Promise<T>,
): Promise<T> {
  if (first === undefined) return make(async () => {});
  const ref = { workspace: actor.workspace, owner: first.jobId };
  return Secrets.keeping(world, ref, Kept.valuesOf(first.task), keep =>
    keepingAll(world, actor, others, keepOthers =>
      make(async () => {
        await keep();
        await keepOthers();
      }),
    ),
  );
}

interface Making {
  readonly id: string;
  readonly members: readonly Member[];
  readonly keep: Keep;
}

async function createOnce(
  world: Edge,
  actor: Actor,
  request: JobGroup.Create,
  { id, members: asked, keep }: Making,
): Promise<JobGroup.Launched> {
  const { members, wanted } = await onTarget(world, actor, request, asked);
  await requireNew(world, actor, request.cluster);
  const { cluster, writes } = await ClusterCreate.blueprint(world, actor, wanted);
  const jobGroup = { id, name: request.name };
  const jobs = members.map(({ task, priority, jobId }) => {
    const submit = { task, name: undefined, priority, down: request.down, group: task.name };
    return Submit.blueprint(world, actor, cluster, submit, jobId, undefined, jobGroup);
  });
  const group = groupOf(world, actor, jobGroup, cluster, members);
  const answer: JobGroup.Launched = {
    group: JobGroup.info(group),
    cluster: Cluster.info(cluster),
    jobs: jobs.map(({ info }) => info),
  };
  for (const { task } of members) await requireStored(world, actor, task);
  await keep();
  const all = [...writes, ...begin(world, JobGroup.noun, actor, group), ...jobs.flatMap(job => job.writes)];
  await commit(world, actor, all, answer);
  return answer;
}

/** The tasks and the cluster with their target looked up: what it says is then said by them. */
async function onTarget(world: Edge, actor: Actor, asked: JobGroup.Create, members: readonly Member[]) {
  const { target, idle, cluster, maxLifetime, shared } = asked;
  const groups = members.map(({ task }) => toGroup(task));
  const { request } = await resolve(world, actor, { groups, target, idle });
  const settled = members.map((member, index) => {
    const resources = request.groups[index]?.resources ?? member.task.resources;
    return { ...member, task: contained({ ...member.task, resources }) };
  });
  const wanted: Cluster.Create = {
    ...(cluster !== undefined && { name: cluster }),
    groups: settled.map(({ task }) => toGroup(task)),
    ...(request.idle !== undefined && { idle: request.idle }),
    ...(maxLifetime !== undefined && { maxLifetime }),
    shared,
  };
  return { members: settled, wanted };
}

const toGroup = ({ name = "", nodes, resources }: Member["task"]): Group.Create => ({
  name,
  nodes,
  resources,
  schedulable: true,
});

/** All of them begin at once: that is certain only where nobody else's jobs run. */
async function requireNew({ table }: Edge, { workspace }: Actor, name: string | undefined): Promise<void> {
  const existing = name === undefined ? undefined : await byName(table, workspace, name);
  if (existing === undefined) return;
  throw new MusterError("name_taken", `there is a cluster '${existing.name}', and a job group makes one of its own`, {
    hint: "choose another name with -c, or leave it out",
  });
}

function groupOf(
  { clock }: Pick<Edge, "clock">,
  actor: Actor,
  { id, name }: { readonly id: string; readonly name: string },
  cluster: Cluster.Cluster,
  members: readonly Member[],
): JobGroup.JobGroup {
  const now = clock.now();
  return {
    id,
    name,
    workspace: actor.workspace,
    owner: actor.id,
    clusterId: cluster.id,
    clusterName: cluster.name,
    tasks: members.map(({ task, jobId, primary, delay }) => ({
      name: task.name ?? "",
      jobId,
      nodes: task.nodes,
      ...(primary && { primary }),
      ...(delay > 0 && { delay }),
    })),
    createdAt: now,
    changedAt: now,
    state: "running",
    dueAt: now + LOOK,
  };
}
