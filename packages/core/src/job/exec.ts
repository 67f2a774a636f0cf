/**
 * Commands on hosts of a cluster: a job that takes nothing of its hosts. It begins at once, beside whatever runs there, and
 * waits for nothing but a host that has just been lost.
 */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { find, requireUse } from "../cluster/find.ts";
import { groupsByRank, groupsOf, isSame } from "../cluster/group.ts";
import * as Slots from "../cluster/slots.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import { nearest } from "../near.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { insert } from "../record.ts";
import { Task } from "../task/task.ts";
import type * as Command from "./command.ts";
import { NONCE, scriptOf } from "./exec-script.ts";
import * as Job from "./job.ts";
import { plural, sentence } from "./needs.ts";
import { enqueue } from "./queue.ts";
import { submission } from "./submission.ts";

/** How long it waits for a host that was lost after it was asked for, in ms. */
const WAITS = 300_000;
/** When somebody sees whether it was placed, should the doorbell have been lost, in ms. */
const LOOK = 15_000;

/**
 * @throws MusterError `not_found` (the cluster), `forbidden`; `conflict` when the cluster is not up, or hosts that are named
 * are down, or all of them are; `invalid_request` for a group or a rank that it does not have, and for too much text.
 */
export async function exec(
  world: Basics & Pick<Edge, "random">,
  actor: Actor,
  reference: string,
  request: Command.Create,
): Promise<Job.Info> {
  const id = Id.create(world.random, "job");
  const nonce = world.random.secret().slice(0, 32);
  const task = taskOf(request, nonce);
  return retrying(async () => {
    const cluster = await find(world, actor, reference);
    requireUse(actor, cluster);
    Cluster.requireOpen(cluster);
    const slots = await Slots.get(world.table, cluster.workspace, cluster.id);
    if (slots === undefined || !Cluster.takesJobs(cluster)) throw notUp(cluster);
    const hosts = choose(cluster, slots.hosts, request.target);
    const job = jobOf(world, actor, cluster, { id, task, exec: { ...hosts, ...told(request), nonce } });
    const info = Job.info(job);
    const first = submission(job, "job", Job.noun.key(job), actor, task);
    await commit(world, actor, [insert(Job.noun, job), first, enqueue(job)], info);
    return info;
  });
}

const told = ({ commands, once, force }: Command.Create): Pick<Command.Exec, "commands" | "once" | "force"> => ({
  commands: commands.length,
  ...(once && { once }),
  ...(force && { force }),
});

/** As any task: the commands are its script, or its setup, which a host runs once. */
function taskOf(request: Command.Create, nonce: string): Task {
  const script = scriptOf(request);
  const { envs, timeout, once } = request;
  const read = Task.safeParse({
    ...(once ? { setup: script } : { run: script }),
    envs: { ...envs, [NONCE]: nonce },
    ...(timeout !== undefined && { timeout }),
  });
  if (read.success) return read.data;
  const isLong = read.error.issues.some(({ code }) => code === "too_big");
  const message = isLong ? "these commands are too long in all" : (read.error.issues[0]?.message ?? "");
  throw new MusterError("invalid_request", message, {
    issues: [{ path: "commands", message }],
    hint: "140 KB are the most: put what is longer into a file that the hosts have, or send less at a time",
  });
}

function jobOf(
  world: Pick<Basics, "clock">,
  actor: Actor,
  cluster: Cluster.Cluster,
  { id, task, exec: commands }: { readonly id: string; readonly task: Task; readonly exec: Command.Exec },
): Job.Job {
  const now = world.clock.now();
  return {
    id,
    workspace: actor.workspace,
    clusterId: cluster.id,
    clusterName: cluster.name,
    provider: cluster.provider,
    name: "exec",
    owner: actor.id,
    priority: 500,
    nodes: commands.ranks.length,
    needs: [{}],
    exec: commands,
    ...(task.timeout !== undefined && { timeout: task.timeout }),
    down: false,
    attempts: 0,
    createdAt: now,
    changedAt: now,
    state: "queued",
    startBy: now + WAITS,
    dueAt: now + LOOK,
  };
}

const notUp = ({ name, state }: Cluster.Cluster): MusterError =>
  new MusterError("conflict", `cluster '${name}' is ${state}: its hosts are not up yet`, {
    state,
    hint: `wait until it is ready: muster status ${name}`,
  });

type Hosts = Pick<Command.Exec, "ranks" | "lost">;

/** The hosts that are meant. Of all, or of a group, those that are down are left out, and told. */
function choose(cluster: Cluster.Cluster, slots: readonly Slots.Slot[], target: Command.Target): Hosts {
  if (typeof target !== "string" && "nodes" in target) return named(cluster, slots, [...new Set(target.nodes)]);
  const groups = groupsByRank(cluster);
  if (typeof target !== "string") requireGroup(cluster, target.group);
  const meant = slots.filter(({ rank }) => {
    const group = groups[rank];
    return target === "all" || (group !== undefined && isSame(group, { name: target.group }));
  });
  const ranks = ranksOf(meant.filter(slot => slot.up));
  const lost = ranksOf(meant.filter(slot => !slot.up));
  if (ranks.length === 0) throw down(cluster, lost);
  return { ranks, ...(lost.length > 0 && { lost }) };
}

function named(cluster: Cluster.Cluster, slots: readonly Slots.Slot[], asked: readonly number[]): Hosts {
  const unknown = asked.filter(rank => slots.every(slot => slot.rank !== rank));
  if (unknown.length > 0) {
    const message = `cluster '${cluster.name}' has no host ${sentence(unknown.map(String))}`;
    throw new MusterError("invalid_request", message, {
      issues: [{ path: "target.nodes", message: `its hosts are 0 to ${slots.length - 1}` }],
    });
  }
  const lost = ranksOf(slots.filter(({ rank, up }) => asked.includes(rank) && !up));
  if (lost.length > 0) throw down(cluster, lost);
  return { ranks: asked.toSorted((a, b) => a - b) };
}

function requireGroup(cluster: Cluster.Cluster, name: string): void {
  const names = [...new Set(groupsOf(cluster).map(group => group.name))];
  if (names.some(one => isSame({ name: one }, { name }))) return;
  const near = nearest(name, names);
  throw new MusterError("invalid_request", `cluster '${cluster.name}' has no group '${name}'`, {
    issues: [{ path: "target.group", message: `its groups are: ${names.join(", ")}` }],
    ...(near !== undefined && { hint: `did you mean '${near}'?` }),
  });
}

const ranksOf = (slots: readonly Slots.Slot[]): number[] => slots.map(slot => slot.rank).toSorted((a, b) => a - b);

const down = ({ name, state }: Cluster.Cluster, ranks: readonly number[]): MusterError =>
  new MusterError(
    "conflict",
    `${plural(ranks.length, "host")} of cluster '${name}' ${ranks.length === 1 ? "is" : "are"} down: ${sentence(ranks.map(String))}`,
    { state, hint: "leave them out with --node; a host that is back is used again by itself" },
  );
