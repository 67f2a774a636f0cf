/**
 * What a saved image bears: the image, and the EBS snapshots of its disks, alike.
 *
 * Gotcha: it bears neither a cluster's tag nor a move's: the disks of a cluster that moves are found, and deleted, by those.
 */
import { createHash } from "node:crypto";
import type { Tag } from "@aws-sdk/client-ec2";
import type { ImageIntent, ImageRef } from "@muster/core/ports/provider.ts";
import { DEPLOYMENT, MOST, type Tags, tagList, tagOf, WORKSPACE } from "../tags.ts";

export const IMAGE = "muster:image";

/** @returns undefined when it bears not all of the tags that Muster gives, or is not of this deployment. */
export function savedOf(deployment: string, tags: readonly Tag[] | undefined): ImageRef | undefined {
  const workspace = tagOf(tags, WORKSPACE);
  const imageId = tagOf(tags, IMAGE);
  if (workspace === undefined || imageId === undefined) return undefined;
  return tagOf(tags, DEPLOYMENT) === deployment ? { workspace, imageId } : undefined;
}

/** Muster's own, and those that everything of the deployment bears, as many as there is room for. */
export function tagsFor(
  of: { readonly deployment: string; readonly tags: Tags },
  { workspace, imageId, label }: ImageIntent,
): Tag[] {
  const own: Tags = { [DEPLOYMENT]: of.deployment, [WORKSPACE]: workspace, [IMAGE]: imageId };
  const tags = new Map(Object.entries({ ...own, ...of.tags, ...own }));
  for (const [key, value] of Object.entries({ Name: label.name, creator: label.owner }))
    if (!tags.has(key)) tags.set(key, value);
  return tagList(Object.fromEntries([...tags].slice(0, MOST)));
}

/** What EC2 takes for an image's name (CreateImage: 3 to 128 of these). */
const TAKEN = /^[\w()[\] ./'@-]{3,128}$/;

/** The image's name. EC2 makes no second image of the same name: a call that is doubled makes nothing. */
export function nameOf(deployment: string, imageId: string): string {
  const name = `muster-${deployment}-${imageId}`;
  if (TAKEN.test(name)) return name;
  return `muster-${createHash("sha256").update([deployment, imageId].join("|")).digest("hex")}`;
}
