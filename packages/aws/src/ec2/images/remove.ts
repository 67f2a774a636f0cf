/**
 * The end of a saved image.
 *
 * Lifecycle: the AMI is deregistered; then the EBS snapshots that it was made of are deleted, which EC2 refuses as long as
 * an AMI needs them. Whoever dies between leaves EBS snapshots, which `images` tells of.
 */
import type { ImageRef } from "@muster/core/ports/provider.ts";
import { failuresOf } from "../each.ts";
import type { Seeing } from "../observe.ts";
import { deregister, removePart } from "../snapshot/remove.ts";
import { amisOf, snapshotsOf } from "./find.ts";

/**
 * Deletes what there is of it. One thing that cannot be deleted keeps no other.
 * @throws Fault, the first; MusterError `busy` when something must wait for an AMI that is not gone yet.
 */
export async function deleteImage(world: Seeing, ref: ImageRef): Promise<void> {
  const images = await failuresOf(await amisOf(world, ref), ami => deregister(world, ami));
  const parts = await failuresOf(await snapshotsOf(world, ref), part => removePart(world, part));
  // What failed for an AMI is why its EBS snapshots are in use.
  const [first] = [...images, ...parts];
  if (first !== undefined) throw first;
}
