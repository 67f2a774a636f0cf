/**
 * The end of a move's snapshots.
 *
 * Lifecycle: the images are deregistered; then the EBS snapshots that they were made of are deleted, which EC2 refuses as
 * long as an image needs them. Whoever dies between leaves EBS snapshots, which `snapshots` tells of.
 */
import { DeleteSnapshotCommand, DeregisterImageCommand } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { MoveRef } from "@muster/core/ports/provider.ts";
import { Fault } from "../../fault.ts";
import { answerOf } from "../client.ts";
import { failuresOf } from "../each.ts";
import type { Seeing } from "../observe.ts";
import { type FoundImage, type FoundPart, imagesOf, partsOf } from "./find.ts";

const NOT_FOUND = new Set(["InvalidAMIID.NotFound", "InvalidSnapshot.NotFound"]);
/** It is deregistered, or it cannot be yet. */
const UNAVAILABLE = "InvalidAMIID.Unavailable";
const IN_USE = "InvalidSnapshot.InUse";

/**
 * Deletes what there is of the move's snapshots. One that cannot be deleted keeps no other.
 * @throws Fault, the first; MusterError `busy` when something must wait for an image that is not gone yet.
 */
export async function deleteSnapshots(world: Seeing, ref: MoveRef): Promise<void> {
  const images = await failuresOf(await imagesOf(world, ref), image => deregister(world, image));
  const parts = await failuresOf(await partsOf(world, ref), part => removePart(world, part));
  // What failed for an image is why its EBS snapshots are in use.
  const [first] = [...images, ...parts];
  if (first !== undefined) throw first;
}

/** What is gone already is success. @throws Fault; MusterError `busy` for an image that is still being made. */
export async function deregister({ ec2 }: Seeing, { id, state }: Pick<FoundImage, "id" | "state">): Promise<void> {
  try {
    await answerOf("DeregisterImage", ec2.writes.send(new DeregisterImageCommand({ ImageId: id })));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === UNAVAILABLE && state === "pending")
      throw new MusterError("busy", `the image ${id} is still being made, and cannot be deleted yet`, {}, error);
    if (error.code !== UNAVAILABLE && !NOT_FOUND.has(error.code)) throw error;
  }
}

/** The same for an EBS snapshot. @throws Fault; MusterError `busy` while an image needs it. */
export async function removePart({ ec2 }: Seeing, { id }: Pick<FoundPart, "id">): Promise<void> {
  try {
    await answerOf("DeleteSnapshot", ec2.writes.send(new DeleteSnapshotCommand({ SnapshotId: id })));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === IN_USE)
      throw new MusterError("busy", `an image still needs the EBS snapshot ${id}`, { hint: error.said }, error);
    if (!NOT_FOUND.has(error.code)) throw error;
  }
}
