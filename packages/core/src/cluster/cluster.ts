/** Clusters: a name, a number of hosts in groups, and their life from request to confirmed end. */
import * as z from "zod";
import * as Cost from "../cost/cost.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Indexes } from "../ports/table.ts";
import { fieldsOf, type Noun } from "../record.ts";
import { Settled } from "../task/resources.ts";
import * as Group from "./group.ts";
import { Hold, HoldInfo, Kept } from "./idle.ts";
import { life } from "./life.ts";
import { Before, Failure, hookBy, Launch, type Made } from "./machines.ts";

export { atGroup, Failure, Launch, lastTry, Offer, triesOf } from "./machines.ts";
export { Create, isName, NOT_A_NAME } from "./request.ts";

export const ClusterId = Id.schema("cluster");

const base = {
  id: z.string(),
  workspace: z.string(),
  name: z.string(),
  /** Who made it; nobody else uses it unless it is shared. */
  owner: z.string(),
  shared: z.boolean(),
  provider: z.string(),
  /** Hosts, in all groups. */
  nodes: z.number().int(),
  groups: z.array(Group.Group).optional(),
  /** Counts the sets of machines that were launched for this cluster. */
  generation: z.number().int(),
  idle: Kept,
  /** The policy that was asked for, until its machines are told what it means for them. */
  nextIdle: Kept.optional(),
  /** Epoch ms since when its hosts are to look for what they look for; absent: always. */
  watchFrom: z.number().optional(),
  /** Also one that is over. */
  hold: Hold.optional(),
  /** Whether spot machines were asked for: those cannot be stopped, only ended. */
  spot: z.boolean().optional(),
  /** What it takes of its workspace's budget, in millionths of a US dollar per hour; absent: nothing. */
  takes: z.number().int().min(0).optional(),
  /** What it has cost; absent: nothing. */
  cost: Cost.Cost.optional(),
  /** Epoch ms at which it ends, whatever runs on it. */
  endBy: z.number().optional(),
  /** How many moves of its disks were begun. */
  moves: z.number().int().optional(),
  /** The move whose snapshots are its disks, all of them complete, until it is ready; absent: its machines have them. */
  snapshotOf: z.number().int().optional(),
  /** The managed job that it is made for, and made anew for when its machines are lost. No other runs there. */
  managedBy: z.string().optional(),
  /** Name of the pool that keeps it ready; it is nobody's to use until it is taken from there. */
  pool: z.string().optional(),
  /** The most jobs that run on one host at a time; absent: as many as there is room for. */
  maxConcurrentJobs: z.number().int().optional(),
  /** Starts, or sets of machines, in a row that the control plane tried by itself, and that led nowhere. */
  restarts: z.number().int().optional(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** Epoch ms of the last change of state. */
  changedAt: z.number(),
};
/** Epoch ms at which somebody must look at it again. */
const dueAt = z.number();
/** Whether the system stopped it (its policy, no capacity, a boot in vain), not a person: then jobs that wait start it again. */
const byPolicy = z.boolean().optional();
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const Cluster = z.discriminatedUnion("state", [
  variant("requested", { dueAt }),
  variant("launching", { dueAt, launch: Launch, before: Before.optional() }),
  variant("booting", {
    dueAt,
    launch: Launch,
    before: Before.optional(),
    /** Epoch ms. */ bootBy: z.number(),
    /** Whether its disks have been in use before. */ restarted: z.boolean().optional(),
    /** Epoch ms since when machines of it do not show. */ suspectedAt: z.number().optional(),
  }),
  variant("setting_up", { dueAt, launch: Launch }),
  variant("ready", {
    dueAt,
    launch: Launch,
    suspectedAt: z.number().optional(),
    /** Why it has not grown, the last time that it should. */ setback: Failure.optional(),
  }),
  variant("growing", {
    dueAt,
    launch: Launch,
    before: Before,
    /** Why it came to nothing. */ failure: Failure.optional(),
  }),
  variant("broken", { dueAt, launch: Launch, failure: Failure }),
  variant("stopping", { dueAt, launch: Launch, byPolicy, hookBy }),
  variant("stopped", { dueAt, launch: Launch, byPolicy, failure: Failure.optional() }),
  variant("moving", {
    dueAt,
    launch: Launch,
    /** Its number. */ move: z.number().int(),
    /** Why it came to nothing. */ failure: Failure.optional(),
    /** Whether somebody stopped it: then nothing starts it again by itself. */ byPerson: z.boolean().optional(),
  }),
  variant("starting", {
    dueAt,
    launch: Launch,
    /** Until when (epoch ms) starting may go on failing; ten minutes when absent. */ startBy: z.number().optional(),
  }),
  variant("draining", {
    dueAt,
    launch: Launch.optional(),
    failure: Failure.optional(),
    /** Epoch ms. */ drainingSince: z.number(),
    /** Whether it is made anew when its machines have gone. */ renew: z.boolean().optional(),
    hookBy,
  }),
  variant("terminated", { endedAt: z.number(), launch: Launch.optional() }),
  variant("failed", { endedAt: z.number(), launch: Launch.optional(), failure: Failure }),
]);
export type Cluster = z.infer<typeof Cluster>;
export type State = Cluster["state"];

export const noun: Noun<Cluster> = {
  type: "cluster",
  schema: Cluster,
  fields: fieldsOf(Cluster),
  key: record => Keys.cluster(record.workspace, record.id),
  indexes: record => ({ list: Keys.list(record.workspace, "cluster", record.id), ...dueIndex(record) }),
};
export const kind = { noun, life };

function dueIndex(record: Cluster): Indexes {
  if (!("dueAt" in record)) return {};
  // Whatever state it is in, its end of life is due as well; once it is leaving that has been seen to.
  const at =
    record.state === "draining" && !record.renew ? record.dueAt : Math.min(record.dueAt, record.endBy ?? record.dueAt);
  return { due: Keys.due(Keys.cluster(record.workspace, record.id).pk, record.id, at) };
}

const SpecGroup = z.object({
  resources: Settled,
  /** What the group takes of the budget until its offer is chosen. */
  takes: z.number().int().min(0),
  /** Its GPUs, in all, until then; absent: none. */
  gpus: z.number().optional(),
});
/** What each group was asked to be; written once, beside the record. */
export const Spec = z.union([
  z.object({ groups: z.array(SpecGroup) }),
  // As it was written before there were groups.
  z
    .object({ resources: Settled })
    .transform(({ resources }): { groups: z.infer<typeof SpecGroup>[] } => ({ groups: [{ resources, takes: 0 }] })),
]);
export type Spec = z.infer<typeof Spec>;

/** A group as the API shows it. */
const GroupInfo = z.object({
  name: z.string(),
  nodes: z.number().int(),
  schedulable: z.boolean().meta({ description: "Whether jobs run on its hosts" }),
  instanceType: z.string().optional().meta({ description: "Machine type of its hosts, once chosen" }),
  hourly: z.number().optional().meta({ description: "US dollars per hour for all its hosts while they run" }),
});
type GroupInfo = z.infer<typeof GroupInfo>;

/** A cluster as the API shows it. */
export const Info = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(life.states as [State, ...State[]]),
  owner: z.string(),
  shared: z.boolean(),
  provider: z.string(),
  nodes: z.number().int().meta({ description: "Hosts, in all groups" }),
  groups: z.array(GroupInfo),
  generation: z.number().int(),
  instanceType: z.string().optional().meta({ description: "Machine type of the first group's hosts, once chosen" }),
  hourly: z.number().optional().meta({ description: "US dollars per hour for all hosts while they run" }),
  stoppedHourly: z.number().optional().meta({ description: "US dollars per hour for its disks while it is stopped" }),
  cost: Cost.Info.optional().meta({ description: "What it has cost; absent: nothing" }),
  idle: Kept,
  hold: HoldInfo.optional(),
  maxConcurrentJobs: z.number().int().optional().meta({ description: "Most jobs that run on one host at a time" }),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
  changedAt: z.number().meta({ description: "Epoch milliseconds of the last change of state" }),
  dueAt: z.number().optional().meta({ description: "Epoch milliseconds of the next deadline" }),
  endBy: z.number().optional().meta({ description: "Epoch milliseconds at which it ends, whatever runs on it" }),
  endedAt: z.number().optional().meta({ description: "Epoch milliseconds" }),
  failure: Failure.optional(),
  managedBy: z.string().optional().meta({ description: "The managed job that it is made for" }),
  pool: z.string().optional().meta({ description: "The pool that keeps it ready, until it is taken from there" }),
  renew: z.boolean().optional().meta({ description: "Whether it is made anew when its machines have gone" }),
});
export type Info = z.infer<typeof Info>;

export function info(cluster: Cluster): Info {
  const kinds = kindsOf(cluster);
  const groups = merged(Group.groupsOf(cluster).map((group, index) => shown(group, kinds[index])));
  const [first] = kinds;
  const hourly = groups.reduce((sum, group) => sum + (group.hourly ?? 0), 0);
  const stoppedHourly = Group.groupsOf(cluster).reduce((sum, { nodes }, at) => sum + (kinds[at]?.disk ?? 0) * nodes, 0);
  const idle = policyOf(cluster);
  const failure = cluster.state === "ready" && { failure: cluster.setback };
  return Info.parse({
    ...cluster,
    ...failure,
    cost: cluster.cost && Cost.info(cluster.cost),
    idle,
    hold: cluster.hold && { until: cluster.hold.until, by: cluster.hold.by },
    groups,
    ...(first && { instanceType: first.instanceType, hourly }),
    ...(stoppedHourly > 0 && { stoppedHourly }),
  });
}

/** A group that has grown is shown as one. */
function merged(groups: readonly GroupInfo[]): GroupInfo[] {
  const found = new Map<string, GroupInfo>();
  for (const group of groups) {
    const known = found.get(group.name);
    const hourly = known?.hourly === undefined ? group.hourly : known.hourly + (group.hourly ?? 0);
    const whole = known ? { ...known, nodes: known.nodes + group.nodes } : group;
    found.set(group.name, { ...whole, ...(hourly !== undefined && { hourly }) });
  }
  return [...found.values()];
}

const shown = (group: Group.Group, kind: Kind | undefined): GroupInfo => ({
  ...group,
  schedulable: Group.takesJobs(group),
  ...(kind && { instanceType: kind.instanceType, hourly: kind.hourly * group.nodes }),
});

/** What is known of a group's machines when their offer is chosen. */
export type Kind = Omit<z.infer<typeof Made>, "try">;

/** By group, as far as offers are chosen. */
export function kindsOf(cluster: Cluster): readonly Kind[] {
  const launch = "launch" in cluster ? cluster.launch : undefined;
  return launch === undefined ? [] : [...(launch.made ?? []), launch.offer];
}

/** Whether the snapshots of this move are its disks, or are to be. */
export function keepsSnapshots(cluster: Cluster, move: number): boolean {
  if (isLeaving(cluster)) return false;
  return cluster.snapshotOf === move || (cluster.state === "moving" && cluster.move === move);
}

/** The policy that the control plane keeps: also while its machines have still to learn of it. */
export const policyOf = (cluster: Cluster): Kept => cluster.nextIdle ?? cluster.idle;

/** Whether somebody has its policy leave it alone. @param now epoch ms */
export const isHeld = ({ hold }: Pick<Cluster, "hold">, now: number): boolean => hold !== undefined && hold.until > now;

export const isOver = (cluster: { readonly state: State }): boolean => life.isTerminal(cluster.state);
/** Whether jobs may be placed on the hosts in its slots: also while it grows, on those that were there before. */
export const takesJobs = (cluster: Cluster): boolean =>
  cluster.state === "ready" || ("before" in cluster && cluster.before !== undefined);

/** Ended, or on its way there: it takes no work any more. */
export const isLeaving = (cluster: { readonly state: State; readonly renew?: boolean | undefined }): boolean =>
  (cluster.state === "draining" && cluster.renew !== true) || isOver(cluster);

/** @throws MusterError `conflict` for a cluster that is a managed job's own, or a pool's: nobody else uses or changes it. */
export function requireShareable(cluster: Pick<Cluster, "name" | "managedBy" | "pool">): void {
  requireNotPooled(cluster);
  const { name, managedBy } = cluster;
  if (managedBy === undefined) return;
  throw new MusterError("conflict", `cluster '${name}' is made for the managed job ${managedBy}, and for no other`, {
    hint: `end both with: muster cancel ${managedBy}; or choose another cluster`,
  });
}

/** @throws MusterError `conflict` for a cluster that a pool keeps ready. */
export function requireNotPooled({ name, pool }: Pick<Cluster, "name" | "pool">): void {
  if (pool === undefined) return;
  throw new MusterError("conflict", `cluster '${name}' is kept ready by pool '${pool}', which gives it to a launch`, {
    hint: `take one from it: muster launch --pool ${pool}; or end this one, and another is made: muster down ${name}`,
  });
}

/** @throws MusterError `conflict` when the cluster takes no jobs, with what to do about it. */
export function requireOpen(cluster: Cluster): void {
  requireShareable(cluster);
  if (isLeaving(cluster))
    throw new MusterError("conflict", `cluster '${cluster.name}' is ${cluster.state}: it takes no jobs any more`, {
      state: cluster.state,
      hint: "create another with: muster launch",
    });
  const isStopping = cluster.state === "stopping" || (cluster.state === "moving" && cluster.byPerson === true);
  if (cluster.state === "stopped" || isStopping || cluster.state === "broken")
    throw new MusterError("conflict", `cluster '${cluster.name}' is ${cluster.state}`, {
      state: cluster.state,
      hint: `start it first: muster start ${cluster.name}`,
    });
}
