/** Whether a cluster that is there can stand in for the one that was asked for. */
import { countOf } from "../accelerator/names.ts";
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import type { Resources } from "../task/task.ts";
import * as Cluster from "./cluster.ts";
import { requireUse } from "./find.ts";
import * as Group from "./group.ts";

type Request = Pick<Cluster.Create, "nodes" | "resources" | "groups">;

const ANOTHER = "choose another name with: -c NAME";

/** @throws MusterError `name_taken` or `conflict` when it cannot. */
export function requireFit(actor: Actor, cluster: Cluster.Cluster, request: Request): void {
  if (cluster.owner !== actor.id && !cluster.shared)
    throw new MusterError(
      "name_taken",
      `the name '${cluster.name}' is taken: its cluster belongs to ${cluster.owner}`,
      {
        hint: ANOTHER,
      },
    );
  requireUse(actor, cluster);
  if (Cluster.isLeaving(cluster))
    throw new MusterError("conflict", `cluster '${cluster.name}' is being removed`, {
      state: cluster.state,
      hint: "wait until it has gone (muster status), or choose another name",
    });
  if (request.groups === undefined) requireHosts(cluster, request);
  else for (const group of request.groups) requireGroup(cluster, group);
  const provider = Group.providerOf(Group.wanted(request)) ?? cluster.provider;
  if (provider !== cluster.provider)
    throw conflict(`cluster '${cluster.name}' is on '${cluster.provider}', not on '${provider}'`);
}

/** Any of the hosts that take jobs may be the job's: all of them must do. */
function requireHosts(cluster: Cluster.Cluster, { nodes = 1, resources = {} }: Request): void {
  const most = Group.jobNodes(cluster);
  if (nodes > most) throw tooFew(`cluster '${cluster.name}'`, most, nodes);
  Group.groupsOf(cluster).forEach((group, index) => {
    if (Group.takesJobs(group)) requireMachines(cluster, index, resources);
  });
}

function requireGroup(cluster: Cluster.Cluster, wanted: Group.Create): void {
  const groups = Group.groupsOf(cluster);
  const index = groups.findIndex(group => group.name.toLowerCase() === wanted.name.toLowerCase());
  const group = groups[index];
  if (group === undefined) {
    const names = groups.map(one => `'${one.name}'`).join(" and ");
    throw conflict(`cluster '${cluster.name}' has no group '${wanted.name}'; it has ${names}`);
  }
  const name = `group '${group.name}' of cluster '${cluster.name}'`;
  if (wanted.nodes > group.nodes) throw tooFew(name, group.nodes, wanted.nodes);
  if (wanted.schedulable !== Group.takesJobs(group))
    throw conflict(`${name} ${wanted.schedulable ? "takes no jobs" : "takes jobs"}`);
  requireMachines(cluster, index, wanted.resources);
}

/** Asking for nothing always fits; a group whose machines are not yet chosen takes what comes. */
function requireMachines(cluster: Cluster.Cluster, index: number, wanted: Resources): void {
  const kind = Cluster.kindsOf(cluster)[index];
  const amiss = kind && lack(kind, wanted);
  if (amiss === undefined) return;
  throw conflict(Group.about(Group.groupsOf(cluster), index, `cluster '${cluster.name}' has ${amiss}`));
}

const conflict = (message: string): MusterError => new MusterError("conflict", message, { hint: ANOTHER });

const tooFew = (what: string, has: number, asked: number): MusterError =>
  new MusterError("conflict", `${what} has ${has} ${has === 1 ? "host" : "hosts"}; ${asked} were asked for`, {
    hint: `clusters do not grow yet: ask for at most ${has}, or ${ANOTHER}`,
  });

/** What the hosts have too little of; undefined when they have enough. */
function lack(kind: Cluster.Kind, { accelerators = {}, cpus, memory }: Resources): string | undefined {
  const asked = Object.entries(accelerators);
  if (asked.length > 0 && !asked.some(([name, count]) => countOf(kind.accelerators, name) >= count))
    return `${sentence(kind.accelerators, " and ")} per host; ${sentence(accelerators, " or ")} was asked for`;
  if (cpus && cpus.count > kind.cpus) return `${kind.cpus} CPUs per host; ${cpus.count} were asked for`;
  if (memory && memory.gib > kind.memory) return `${kind.memory} GiB of memory per host; ${memory.gib} were asked for`;
  return undefined;
}

function sentence(accelerators: Readonly<Record<string, number>>, joint: string): string {
  const parts = Object.entries(accelerators).map(([name, count]) => `${name}:${count}`);
  return parts.length === 0 ? "no accelerator" : parts.join(joint);
}
