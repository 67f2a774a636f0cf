/**
 * Groups: the hosts of a cluster that are of one kind, such as a head and its workers. Their ranks run through the groups
 * in order. A cluster that was asked for without groups has one.
 */
import * as z from "zod";
import { Name, Resources } from "../task/task.ts";

/** The group of a cluster that was asked for without any. */
export const MAIN = "main";

/** The most hosts that a cluster may have, whatever their groups: its slots are one item. */
export const MOST_NODES = 1024;
const MOST_GROUPS = 8;
/** The most groups that a cluster's record holds, those by which others have grown among them. */
export const MOST_PARTS = 10;

export const Nodes = z.number().int().min(1).max(MOST_NODES);

/** What a caller may ask for. */
export const Create = z.strictObject({
  name: Name,
  nodes: Nodes.default(1),
  resources: Resources.default({}),
  schedulable: z.boolean().default(true).meta({ description: "Whether jobs run on its hosts" }),
});
export type Create = z.infer<typeof Create>;

/** All groups of one cluster, as a caller may ask for them. */
export const Groups = z.array(Create).min(1).max(MOST_GROUPS).superRefine(checkGroups);

function checkGroups(groups: readonly Create[], context: z.RefinementCtx): void {
  const amiss = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
  const provider = providerOf(groups);
  groups.forEach((group, index) => {
    const known = groups.slice(0, index).some(other => isSame(other, group));
    if (known) amiss([index, "name"], `there is a group '${group.name}' already`);
    if ((group.resources.provider ?? provider) !== provider)
      amiss([index, "resources", "provider"], `all groups of a cluster have one provider, here '${provider}'`);
  });
  if (groups.length > 0 && !groups.some(takesJobs))
    amiss([], "at least one group must be schedulable: jobs run nowhere else");
  const nodes = nodesOf(groups);
  if (nodes > MOST_NODES) amiss([], `a cluster has at most ${MOST_NODES} hosts; these groups have ${nodes}`);
}

/** What of a request says of hosts. */
export interface Request {
  readonly groups?: readonly Create[] | undefined;
  readonly nodes?: number | undefined;
  readonly resources?: Resources | undefined;
  /** The most jobs that are to run on one host at a time. */
  readonly maxConcurrentJobs?: number | undefined;
}

/** Groups are told apart by their names, however these are written. A group that has grown stands there more than once. */
export const isSame = (group: { readonly name: string }, other: { readonly name: string }): boolean =>
  group.name.toLowerCase() === other.name.toLowerCase();

/** What a request asks for, as groups, in whichever way it says it. */
export const wanted = (request: Request): readonly Create[] =>
  request.groups ?? [{ name: MAIN, nodes: request.nodes ?? 1, resources: request.resources ?? {}, schedulable: true }];

/** The provider that they name; undefined when none of them does. */
const providerOf = (groups: readonly Pick<Create, "resources">[]): string | undefined =>
  groups.find(group => group.resources.provider !== undefined)?.resources.provider;

/** As it stands in the record of its cluster. What was asked of its machines stands in the cluster's specification. */
export const Group = z.object({
  name: z.string(),
  nodes: z.number().int(),
  /** Absent: jobs run on its hosts. */
  schedulable: z.boolean().optional(),
});
export type Group = z.infer<typeof Group>;

export const toGroup = ({ name, nodes, schedulable }: Create): Group => ({
  name,
  nodes,
  ...(!schedulable && { schedulable }),
});

/** What of a cluster's record says of its groups. */
export interface Grouped {
  readonly nodes: number;
  /** Absent in records that were written before there were groups. */
  readonly groups?: readonly Group[] | undefined;
}

/** In the order of their ranks, and of their launch. */
export const groupsOf = ({ nodes, groups }: Grouped): readonly Group[] => groups ?? [{ name: MAIN, nodes }];

/** Whether jobs may run there; of a group as of a slot. */
export const takesJobs = ({ schedulable }: { readonly schedulable?: boolean | undefined }): boolean =>
  schedulable !== false;

/** Whether a job may run there that asks for this group, or for none; of a group as of a slot. */
export const isOf = (host: { readonly name?: string | undefined }, group: string | undefined): boolean =>
  group === undefined || isSame({ name: host.name ?? MAIN }, { name: group });

/** How many hosts they are together. */
export const nodesOf = (groups: readonly { readonly nodes: number }[]): number =>
  groups.reduce((sum, group) => sum + group.nodes, 0);

/** How many of the cluster's hosts, or of one group of them, jobs may run on. */
export const jobNodes = (cluster: Grouped, group?: string): number =>
  nodesOf(groupsOf(cluster).filter(one => takesJobs(one) && isOf(one, group)));

/** The ranks of the hosts of one group. */
export function ranksOf(cluster: Grouped, index: number): number[] {
  const groups = groupsOf(cluster);
  const first = nodesOf(groups.slice(0, index));
  return Array.from({ length: groups[index]?.nodes ?? 0 }, (_, host) => first + host);
}

/** The group of each rank. */
export const groupsByRank = (cluster: Grouped): readonly Group[] =>
  groupsOf(cluster).flatMap(group => Array.from({ length: group.nodes }, () => group));

/** What is wrong with a job of so many nodes on a cluster of these groups; undefined when it can run there. */
export function tooWide(groups: readonly Create[], nodes: number): string | undefined {
  const most = nodesOf(groups.filter(takesJobs));
  if (nodes <= most) return undefined;
  return `the job wants ${nodes} hosts; these groups have ${most} for jobs`;
}

/** A sentence about one group; where there is no other, its name says nothing. */
export const about = (groups: readonly { readonly name: string }[], index: number, sentence: string): string =>
  groups.length > 1 ? `group '${groups[index]?.name}': ${sentence}` : sentence;
