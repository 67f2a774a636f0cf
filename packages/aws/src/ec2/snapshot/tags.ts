/**
 * What a snapshot bears: an image, and the EBS snapshots of its disks, alike.
 *
 * Gotcha: whoever backs up machines or disks copies their tags, and those say which cluster. So it is a tag that no
 * machine has, `muster:move`, by which Muster's own are told from backups.
 */
import { createHash } from "node:crypto";
import type { Tag } from "@aws-sdk/client-ec2";
import type { MoveRef } from "@muster/core/ports/provider.ts";
import type { Seen } from "../observe.ts";
import { CLUSTER, DEPLOYMENT, MOST, numberOf, type Tags, tagList, tagOf, WORKSPACE } from "../tags.ts";

export const MOVE = "muster:move";
const HOST = "muster:host";

/** One host's snapshot, for one move. */
export interface Kept extends MoveRef {
  readonly hostId: string;
}

/** @returns undefined when it bears not all of the tags that Muster gives, or is not of this deployment. */
export function keptOf(deployment: string, tags: readonly Tag[] | undefined): Kept | undefined {
  const workspace = tagOf(tags, WORKSPACE);
  const clusterId = tagOf(tags, CLUSTER);
  const hostId = tagOf(tags, HOST);
  const move = numberOf(tagOf(tags, MOVE));
  if (workspace === undefined || clusterId === undefined || hostId === undefined || move === undefined)
    return undefined;
  return tagOf(tags, DEPLOYMENT) === deployment ? { workspace, clusterId, move, hostId } : undefined;
}

/** Tags of the machine that are not copied: AWS's own, which nobody may give, and those that say what the machine is. */
const RESERVED = /^(aws|muster):/i;

/** Muster's own, those that everything of the deployment bears, and the machine's, as many as there is room for. */
export function tagsFor(
  of: { readonly deployment: string; readonly tags: Tags },
  { workspace, clusterId, move }: MoveRef,
  { machine, instance }: Seen,
): Tag[] {
  const own: Tags = {
    [DEPLOYMENT]: of.deployment,
    [WORKSPACE]: workspace,
    [CLUSTER]: clusterId,
    [MOVE]: String(move),
    [HOST]: machine.hostId,
  };
  const people = ["Name", "creator"].flatMap(key => instance.Tags?.filter(tag => tag.Key === key) ?? []);
  const tags = new Map(Object.entries({ ...own, ...of.tags, ...own }));
  for (const { Key = "", Value = "" } of [...people, ...(instance.Tags ?? [])])
    if (!RESERVED.test(Key) && !tags.has(Key)) tags.set(Key, Value);
  return tagList(Object.fromEntries([...tags].slice(0, MOST)));
}

/** What EC2 takes for an image's name (CreateImage: 3 to 128 of these). */
const TAKEN = /^[\w()[\] ./'@-]{3,128}$/;

/** The image's name. EC2 makes no second image of the same name: a call that is doubled makes nothing. */
export function nameOf(deployment: string, { hostId, move }: Pick<Kept, "hostId" | "move">): string {
  const name = `muster-${deployment}-${hostId}-${move}`;
  if (TAKEN.test(name)) return name;
  return `muster-${createHash("sha256").update([deployment, hostId, move].join("|")).digest("hex")}`;
}
