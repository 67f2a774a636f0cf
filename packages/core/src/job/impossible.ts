/** Jobs that a cluster could never run: refused when they come, where its machines are known by then, else when that is found out. */
import * as Cluster from "../cluster/cluster.ts";
import { type Grouped, groupsOf, isOf, jobNodes, takesJobs } from "../cluster/group.ts";
import { type Capacity, capacityOf, emptyRoom, fits, hasGpu } from "../cluster/room.ts";
import * as Slots from "../cluster/slots.ts";
import { MusterError } from "../error.ts";
import { nearest } from "../near.ts";
import type { Table } from "../ports/table.ts";
import { describeNeeds, plural, sentence } from "./needs.ts";
import { alternativesOf, couldFit, type Entry } from "./place.ts";

type Wish = Pick<Entry, "nodes" | "needs" | "group" | "ranks">;

/** States in which a cluster's machines are chosen, and others will not come. */
const CHOSEN: ReadonlySet<Cluster.State> = new Set(["booting", "setting_up", "ready", "broken", "stopped", "starting"]);

/** What the cluster's hosts that take jobs have; undefined while that may still change. */
function hostsOf(cluster: Cluster.Cluster, asked: string | undefined): Capacity[] | undefined {
  if (!CHOSEN.has(cluster.state) || ("before" in cluster && cluster.before !== undefined)) return undefined;
  const kinds = Cluster.kindsOf(cluster);
  return groupsOf(cluster).flatMap((group, index) =>
    takesJobs(group) && isOf(group, asked) ? Array.from({ length: group.nodes }, () => capacityOf(kinds[index])) : [],
  );
}

/** @throws MusterError `invalid_request` when it is known that the cluster can never run this. */
export async function requirePossible(table: Table, cluster: Cluster.Cluster, wish: Wish): Promise<void> {
  if (wish.needs === undefined) return;
  const offered = hostsOf(cluster, wish.group);
  if (offered === undefined || couldFit(wish, offered)) return;
  // The hosts themselves may have more than their offer said.
  const slots = await Slots.get(table, cluster.workspace, cluster.id);
  const shown = Slots.ofGroup(slots?.hosts.filter(takesJobs) ?? [], wish.group);
  const hosts = shown.length > 0 ? shown : offered;
  if (couldFit(wish, hosts)) return;
  const { message, hint, path, suggestion } = explain(wish, nameOf(cluster, wish), hosts);
  const issues = [{ path: `task.resources.${path}`, message: suggestion, suggestion }];
  throw new MusterError("invalid_request", message, { issues, hint });
}

/** @throws MusterError `invalid_request` for more nodes than the cluster, or its group, has hosts for jobs; and for no such group. */
export function requireNodes(cluster: Pick<Cluster.Cluster, "name"> & Grouped, nodes: number, group?: string): void {
  const most = jobNodes(cluster, group);
  if (group !== undefined && most === 0) throw noGroup(cluster, group);
  if (nodes <= most) return;
  const has = `${most}${most < cluster.nodes && group === undefined ? " for jobs" : ""}`;
  throw new MusterError("invalid_request", `the job wants ${nodes} hosts; ${nameOf(cluster, { group })} has ${has}`, {
    issues: [{ path: "task.nodes", message: `at most ${most} on this cluster` }],
    hint: `let it grow first: muster up -c ${cluster.name} --num_nodes ${nodes}; or launch it on a cluster of its own: muster launch FILE`,
  });
}

function noGroup(cluster: Pick<Cluster.Cluster, "name"> & Grouped, group: string): MusterError {
  const names = [...new Set(groupsOf(cluster).flatMap(one => (takesJobs(one) ? [one.name] : [])))];
  const near = nearest(group, names);
  const hint = near === undefined ? `its groups for jobs are: ${names.join(", ")}` : `did you mean '${near}'?`;
  return new MusterError("invalid_request", `cluster '${cluster.name}' has no group '${group}' that takes jobs`, {
    issues: [{ path: "group", message: `there is no group '${group}' for jobs` }],
    hint,
  });
}

const nameOf = ({ name }: Pick<Cluster.Cluster, "name">, { group }: Pick<Wish, "group">): string =>
  group === undefined ? `cluster '${name}'` : `group '${group}' of cluster '${name}'`;

/** Why a job ends that waits on a cluster which could never run it. */
export function failureOf(wish: Wish, cluster: Cluster.Cluster, slots: readonly Slots.Slot[]): Cluster.Failure {
  if (wish.ranks !== undefined) return withoutHosts(wish.ranks, cluster, slots);
  const hosts = Slots.ofGroup(slots.filter(takesJobs), wish.group);
  if (wish.nodes > hosts.length) return tooWide(wish, cluster, hosts.length);
  const { code, message, hint } = explain(wish, nameOf(cluster, wish), hosts);
  return { code, message, hint };
}

function withoutHosts(
  ranks: readonly number[],
  { name }: Cluster.Cluster,
  slots: readonly Slots.Slot[],
): Cluster.Failure {
  const gone = ranks.filter(rank => slots.every(slot => slot.rank !== rank));
  const message = `cluster '${name}' has no host ${sentence(gone.map(String))} any more`;
  return { code: "host_lost", message, hint: `see its hosts: muster status ${name}` };
}

function tooWide(wish: Wish, cluster: Cluster.Cluster, hosts: number): Cluster.Failure {
  const { nodes } = wish;
  const code = (cluster.state === "ready" ? cluster.setback?.code : undefined) ?? "no_capacity";
  const message = `it wants ${nodes} hosts, and ${nameOf(cluster, wish)} has ${hosts} for jobs`;
  const hint = `let the cluster grow: muster up -c ${cluster.name} --num_nodes ${nodes}; then submit it again`;
  return { code, message, hint };
}

interface Explained {
  readonly code: "no_such_gpu" | "too_large";
  readonly message: string;
  readonly hint: string;
  /** Which of the task's resources, and what would do. */
  readonly path: "accelerators" | "cpus" | "memory";
  readonly suggestion: string;
}

function explain(wish: Wish, place: string, hosts: readonly Capacity[]): Explained {
  const needs = alternativesOf(wish);
  const hasNone = needs.every(
    need => need?.gpus !== undefined && !hosts.some(host => host.gpus > 0 && hasGpu(host, need.gpu)),
  );
  const large = Math.max(...needs.map(need => hosts.filter(host => fits(emptyRoom(host), need)).length));
  const where = wish.nodes > 1 ? `on each of ${wish.nodes} hosts` : "on one host";
  const such = large === 0 ? "no host has that" : `${plural(large, "host")} ${large === 1 ? "has" : "have"} that`;
  return {
    code: hasNone ? "no_such_gpu" : "too_large",
    message: `it wants ${describeNeeds(wish.needs)} ${where}; of ${place} ${such}`,
    hint: `ask for what is there, or launch it on a cluster of its own: muster launch FILE`,
    path: pathOf(wish, hosts),
    suggestion: `its hosts have ${describeHosts(hosts)}`,
  };
}

/** The first of the things that are too few wherever one looks. */
function pathOf(wish: Wish, hosts: readonly Capacity[]): Explained["path"] {
  const lacks = (pick: "gpus" | "cpus" | "memory") =>
    alternativesOf(wish).every(need => hosts.every(host => (need?.[pick] ?? 0) > host[pick]));
  if (lacks("cpus")) return "cpus";
  if (lacks("memory")) return "memory";
  if (alternativesOf(wish).some(need => need?.gpus !== undefined)) return "accelerators";
  return alternativesOf(wish).some(need => need?.cpus !== undefined) ? "cpus" : "memory";
}

/** Kinds of hosts that are named at most. */
const MOST_NAMED = 3;

function describeHosts(hosts: readonly Capacity[]): string {
  const kinds = [...new Set(hosts.map(describeHost))];
  const more = kinds.length > MOST_NAMED ? [`${kinds.length - MOST_NAMED} more kinds`] : [];
  return [...kinds.slice(0, MOST_NAMED), ...more].join("; others ");
}

const describeHost = ({ gpus, gpu, cpus, memory }: Capacity): string =>
  sentence([
    gpus === 0 ? "no GPU" : `${plural(gpus, "GPU")}${gpu === undefined ? "" : ` (${gpu})`}`,
    plural(cpus, "CPU"),
    `${Math.round(memory * 10) / 10} GiB of memory`,
  ]);
