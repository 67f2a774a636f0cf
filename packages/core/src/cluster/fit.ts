/** Whether a cluster that is there can stand in for the one that was asked for. */
import { countOf } from "../accelerator/names.ts";
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import { choicesOf } from "../provider/choices.ts";
import type { Choice, Resources } from "../task/resources.ts";
import * as Cluster from "./cluster.ts";
import { requireUse } from "./find.ts";
import * as Group from "./group.ts";

const ANOTHER = "choose another name with: -c NAME";

/** @throws MusterError `name_taken` or `conflict` when it cannot. */
export function requireFit(actor: Actor, cluster: Cluster.Cluster, request: Group.Request): void {
  requireAlike(actor, cluster, request);
  const [lacks] = shortfall(cluster, request);
  if (lacks !== undefined) throw tooFew(cluster, request, lacks);
  if (request.groups !== undefined) requireNamed(cluster, request.groups);
}

function tooFew(cluster: Cluster.Cluster, request: Group.Request, { name, has, nodes }: Lacking): MusterError {
  const how = request.groups
    ? `muster up FILE -c ${cluster.name}`
    : `muster up -c ${cluster.name} --num_nodes ${nodes}`;
  const hint = `let it grow first: ${how}; or ${ANOTHER}`;
  if (has === undefined) return new MusterError("conflict", noSuchGroup(cluster, name), { hint });
  const what = request.groups ? `group '${name}' of cluster '${cluster.name}'` : `cluster '${cluster.name}'`;
  const message = `${what} has ${has} ${has === 1 ? "host" : "hosts"}; ${nodes} were asked for`;
  return new MusterError("conflict", message, { hint });
}

/** The job may land on any of the hosts that take jobs, whatever their group. */
function requireNamed(cluster: Cluster.Cluster, named: readonly Group.Create[]): void {
  const others = Group.groupsOf(cluster).filter(
    group => Group.takesJobs(group) && !named.some(one => Group.isSame(one, group)),
  );
  const names = [...new Set(others.map(group => `'${group.name}'`))].join(" and ");
  if (names === "") return;
  throw new MusterError("conflict", `cluster '${cluster.name}' also has ${names}, where the job could land too`, {
    hint: `name all of its groups that take jobs, or ${ANOTHER}`,
  });
}

/** Hosts that were asked for, of one kind, and that the cluster has not. */
export interface Lacking {
  readonly name: string;
  /** How many it has; undefined where it has no such group. */
  readonly has?: number | undefined;
  /** How many were asked for. */
  readonly nodes: number;
  readonly schedulable: boolean;
  /** What they are to be, where that was said. */
  readonly resources: Resources;
}

/** What the cluster would have to grow by. */
export function shortfall(cluster: Cluster.Cluster, request: Group.Request): Lacking[] {
  const groups = Group.groupsOf(cluster);
  if (request.groups === undefined) {
    const has = Group.jobNodes(cluster);
    const { nodes = 1, resources = {} } = request;
    const name = groups.find(Group.takesJobs)?.name ?? "";
    return nodes > has ? [{ name, has, nodes, schedulable: true, resources }] : [];
  }
  const lacking = request.groups.map(({ name, nodes, schedulable, resources }) => {
    const mine = groups.filter(group => Group.isSame(group, { name }));
    const has = mine.length === 0 ? undefined : Group.nodesOf(mine);
    return { name: mine[0]?.name ?? name, has, nodes, schedulable, resources };
  });
  return lacking.filter(one => one.nodes > (one.has ?? 0));
}

/**
 * Whether its machines are such as were asked for, however many.
 * @throws MusterError `name_taken` or `conflict` when they are not, or are not this actor's to use.
 */
export function requireAlike(actor: Actor, cluster: Cluster.Cluster, request: Group.Request): void {
  if (cluster.owner !== actor.id && !cluster.shared)
    throw new MusterError(
      "name_taken",
      `the name '${cluster.name}' is taken: its cluster belongs to ${cluster.owner}`,
      {
        hint: ANOTHER,
      },
    );
  requireUse(actor, cluster);
  Cluster.requireShareable(cluster);
  if (Cluster.isLeaving(cluster))
    throw new MusterError("conflict", `cluster '${cluster.name}' is being removed`, {
      state: cluster.state,
      hint: "wait until it has gone (muster status), or choose another name",
    });
  if (request.groups === undefined) requireHosts(cluster, request);
  else for (const group of request.groups) requireGroup(cluster, group);
  requireProvider(cluster, request);
  requireMost(cluster, request);
}

/** It is said once, when the cluster is made. */
function requireMost(
  { name, maxConcurrentJobs: has }: Cluster.Cluster,
  { maxConcurrentJobs: asked }: Group.Request,
): void {
  if (asked === undefined || asked === has) return;
  const takes = has === undefined ? "as many jobs at a time as there is room for" : `${has} at a time`;
  throw conflict(`each host of cluster '${name}' takes ${takes}; ${asked} were asked for`);
}

/** Each of the groups that are asked for may be where the cluster is, by one of its choices at least. */
function requireProvider(cluster: Cluster.Cluster, request: Group.Request): void {
  for (const { resources } of Group.wanted(request)) {
    if (choicesOn(cluster, resources).length > 0) continue;
    const names = new Set(choicesOf(resources).map(choice => `'${choice.provider}'`));
    throw conflict(`cluster '${cluster.name}' is on '${cluster.provider}', not on ${[...names].join(" or ")}`);
  }
}

const choicesOn = ({ provider }: Cluster.Cluster, resources: Resources): readonly Choice[] =>
  choicesOf(resources).filter(choice => choice.provider === undefined || choice.provider === provider);

/** Of the hosts that take jobs enough must do: a job is placed on such as have what it asks for. */
function requireHosts(cluster: Cluster.Cluster, { resources = {}, nodes = 1 }: Group.Request): void {
  const lacking = Group.groupsOf(cluster).map((group, index) =>
    Group.takesJobs(group) ? shortOf(cluster, index, resources) : undefined,
  );
  const fitting = Group.groupsOf(cluster).filter(
    (group, index) => Group.takesJobs(group) && lacking[index] === undefined,
  );
  const amiss = lacking.find(one => one !== undefined);
  if (amiss !== undefined && Group.nodesOf(fitting) < nodes) throw conflict(amiss);
}

function requireGroup(cluster: Cluster.Cluster, wanted: Group.Create): void {
  Group.groupsOf(cluster).forEach((group, index) => {
    if (!Group.isSame(group, wanted)) return;
    if (wanted.schedulable !== Group.takesJobs(group))
      throw conflict(
        `group '${group.name}' of cluster '${cluster.name}' ${wanted.schedulable ? "takes no jobs" : "takes jobs"}`,
      );
    const amiss = shortOf(cluster, index, wanted.resources);
    if (amiss !== undefined) throw conflict(amiss);
  });
}

function noSuchGroup(cluster: Cluster.Cluster, name: string): string {
  const names = [...new Set(Group.groupsOf(cluster).map(one => `'${one.name}'`))].join(" and ");
  return `cluster '${cluster.name}' has no group '${name}'; it has ${names}`;
}

/**
 * What a group's machines have too little of, as a sentence. Asking for nothing always fits, as any choice does; a group whose
 * machines are not yet chosen takes what comes.
 */
function shortOf(cluster: Cluster.Cluster, index: number, wanted: Resources): string | undefined {
  const kind = Cluster.kindsOf(cluster)[index];
  const lacks = kind === undefined ? [] : choicesOn(cluster, wanted).map(choice => lack(kind, choice));
  const [amiss] = lacks;
  if (amiss === undefined || lacks.includes(undefined)) return undefined;
  return Group.about(Group.groupsOf(cluster), index, `cluster '${cluster.name}' has ${amiss}`);
}

const conflict = (message: string): MusterError => new MusterError("conflict", message, { hint: ANOTHER });

/** What the hosts have too little of; undefined when they have enough. */
function lack(kind: Cluster.Kind, { accelerators = {}, cpus, memory }: Choice): string | undefined {
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
