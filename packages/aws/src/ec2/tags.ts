/**
 * The tags of what Muster makes on EC2. They are written by the call that makes the machine, so no machine is ever there
 * without them, and they are how it is found again when the call's answer was lost.
 */
import { createHash } from "node:crypto";
import type { Instance, InstanceStateName, Tag } from "@aws-sdk/client-ec2";
import * as Group from "@muster/core/cluster/group.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Host from "@muster/core/host/host.ts";
import type { Intent, Machine, MachineState } from "@muster/core/ports/provider.ts";

export const DEPLOYMENT = "muster:deployment";
export const WORKSPACE = "muster:workspace";
export const CLUSTER = "muster:cluster";
const GENERATION = "muster:generation";
const TRY = "muster:try";
const GROUP = "muster:group";
/** Rank of the first host of the call; the others follow in the order of their launch index. */
const RANK = "muster:rank";

/** A person's: what bears it, with any value but `false`, is not ended for want of an owner. */
const HOLD = "muster:hold";

/** EC2 takes 50 tags on a resource. */
export const MOST = 50;
/** What a label may not be called: Muster's own, and AWS's. */
const RESERVED = /^(aws:|muster:|name$|creator$)/i;
/** Keys that the metadata service can show; with any other, EC2 refuses to show tags there. */
const SHOWN = /^(?!\.{1,2}$|_index$)[A-Za-z0-9+\-=.,_:@]+$/;

export type Tags = Readonly<Record<string, string>>;

/**
 * The tags of an intent's machines, with their disks and network interfaces.
 * @throws MusterError `unsupported` for labels that cannot be tags.
 */
export function tagsOf(of: { readonly deployment: string; readonly tags: Tags }, intent: Intent): Tag[] {
  const labels = intent.resources.labels ?? {};
  const reserved = Object.keys(labels).find(key => RESERVED.test(key));
  if (reserved !== undefined)
    throw new MusterError("unsupported", `the label '${reserved}' is a tag that Muster sets itself`, {
      hint: "choose another name for it",
    });
  // Later ones win: no label hides a tag that everything of the deployment must bear, and nothing hides Muster's own.
  const tags = { ...labels, ...forPeople(intent), ...of.tags, ...own(of.deployment, intent) };
  const count = Object.keys(tags).length;
  if (count > MOST)
    throw new MusterError("unsupported", `labels and tags are ${count} together, and EC2 takes ${MOST}`, {
      hint: `leave out ${count - MOST} labels`,
    });
  return tagList(tags);
}

/** The group's name is said where there are others. */
const forPeople = ({ label, group }: Intent): Tags => ({
  Name: group === Group.MAIN ? label.cluster : `${label.cluster}-${group}`,
  creator: label.owner,
});

const own = (deployment: string, intent: Intent): Tags => ({
  [DEPLOYMENT]: deployment,
  [WORKSPACE]: intent.workspace,
  [CLUSTER]: intent.clusterId,
  [GENERATION]: String(intent.generation),
  [TRY]: String(intent.try),
  [GROUP]: intent.group,
  [RANK]: String(intent.hosts[0]?.rank ?? 0),
});

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** Whether the machine's metadata service can show all of these tags. */
export const areShown = (tags: readonly Tag[]): boolean => tags.every(tag => SHOWN.test(tag.Key ?? ""));

export const tagOf = (tags: readonly Tag[] | undefined, key: string): string | undefined =>
  tags?.find(tag => tag.Key === key)?.Value;

/** A filter of a Describe call. In values, `*` and `?` would stand for more than themselves. */
export const withTag = (key: string, value: string) => ({
  Name: `tag:${key}`,
  Values: [value.replace(/[\\*?]/g, sign => `\\${sign}`)],
});

/**
 * The same for every send of one try, so that EC2 makes its machines once. Tokens are zonal: a try keeps its zone.
 * @param rank of the only host that the call is for, where each host has a call of its own.
 * @returns 64 characters, as many as EC2 takes.
 */
export const tokenOf = (
  deployment: string,
  intent: Pick<Intent, "workspace" | "clusterId" | "generation" | "try">,
  ...rank: readonly number[]
) =>
  createHash("sha256")
    .update([deployment, intent.workspace, intent.clusterId, intent.generation, intent.try, ...rank].join("|"))
    .digest("hex");

const states: Readonly<Record<InstanceStateName, MachineState>> = {
  pending: "pending",
  running: "running",
  "shutting-down": "terminating",
  stopping: "stopping",
  stopped: "stopped",
  terminated: "terminated",
};

/** @returns undefined when it bears not all of the tags that Muster gives, or is not of this deployment. */
export function machineOf(deployment: string, instance: Instance): Machine | undefined {
  const { InstanceId: machineId, Tags: tags } = instance;
  const state = states[instance.State?.Name ?? "pending"];
  const workspace = tagOf(tags, WORKSPACE);
  const clusterId = tagOf(tags, CLUSTER);
  const [generation, attempt, rank] = [GENERATION, TRY, RANK].map(key => numberOf(tagOf(tags, key)));
  if (machineId === undefined || workspace === undefined || clusterId === undefined) return undefined;
  if (generation === undefined || attempt === undefined || rank === undefined) return undefined;
  if (tagOf(tags, DEPLOYMENT) !== deployment) return undefined;
  return {
    machineId,
    state,
    workspace,
    clusterId,
    generation,
    try: attempt,
    hostId: Host.idOf(clusterId, rank + (instance.AmiLaunchIndex ?? 0)),
    launchedAt: instance.LaunchTime?.getTime() ?? 0,
    ...(instance.InstanceType !== undefined && { instanceType: instance.InstanceType }),
    market: instance.InstanceLifecycle === "spot" ? "spot" : "on_demand",
    ...(isHeld(tags) && { isHeld: true }),
  };
}

function isHeld(tags: readonly Tag[] | undefined): boolean {
  const value = tagOf(tags, HOLD);
  return value !== undefined && value.trim().toLowerCase() !== "false";
}

export const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
