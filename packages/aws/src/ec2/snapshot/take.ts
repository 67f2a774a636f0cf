/**
 * Snapshots of a cluster's stopped machines: an image of each, with all of its EBS disks.
 *
 * Lifecycle: asked again and again until all are complete. The first time makes the images, each by one call; from then on
 * they are found by their tags.
 *
 * Gotcha: an image that was just made may not show for some seconds. The next call for it is refused for its name, which
 * is the same every time: that is success.
 */
import { CreateImageCommand } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { MoveRef, Snapshot } from "@muster/core/ports/provider.ts";
import { Fault } from "../../fault.ts";
import { answerOf } from "../client.ts";
import { failuresOf } from "../each.ts";
import { observe, type Seeing, type Seen } from "../observe.ts";
import type { Tags } from "../tags.ts";
import { imageNamed, imagesOf, isGone, stateOf } from "./find.ts";
import { keptOf, nameOf, tagsFor } from "./tags.ts";

export interface Snapping extends Seeing {
  /** Tags that everything of this deployment must bear. */
  readonly tags: Tags;
}

export const DUPLICATE = "InvalidAMIName.Duplicate";
/** Somebody else changed the machine's power meanwhile, or it ended. */
export const CHANGED = new Set(["IncorrectInstanceState", "IncorrectState", "InvalidInstanceID.NotFound"]);

/**
 * Makes what is not there yet of these machines' snapshots, and tells of all that are there for the move.
 * @throws Fault; MusterError `busy` while one of the machines is not stopped: then nothing was made.
 */
export async function snapshot(
  world: Snapping,
  ref: MoveRef,
  machineIds: readonly string[],
): Promise<readonly Snapshot[]> {
  const [there, seen] = await Promise.all([imagesOf(world, ref), observe(world, ref)]);
  const states = new Map(there.map(({ of, state }) => [of.hostId, state]));
  const missing = seen.filter(
    ({ machine }) =>
      machineIds.includes(machine.machineId) && machine.state !== "terminating" && !states.has(machine.hostId),
  );
  const awake = missing.find(({ machine }) => machine.state !== "stopped")?.machine;
  if (awake !== undefined)
    throw new MusterError("busy", `the machine ${awake.machineId} is ${awake.state}, and must be stopped first`);
  const failures = await failuresOf(missing, async one => states.set(one.machine.hostId, await make(world, ref, one)));
  // The others are made by now, and are found the next time.
  if (failures.length > 0) throw failures[0];
  return [...states].map(([hostId, state]) => ({ hostId, state }));
}

async function make(world: Snapping, ref: MoveRef, seen: Seen): Promise<Snapshot["state"]> {
  const { machineId, hostId } = seen.machine;
  const Tags = tagsFor(world, ref, seen);
  const command = new CreateImageCommand({
    InstanceId: machineId,
    Name: nameOf(world.deployment, { ...ref, hostId }),
    Description: `Disks of a Muster host that moves: ${hostId}`,
    // It is stopped; and if somebody has just started it, it is not for a snapshot to reboot it.
    NoReboot: true,
    TagSpecifications: (["image", "snapshot"] as const).map(ResourceType => ({ ResourceType, Tags })),
  });
  try {
    await answerOf("CreateImage", world.ec2.writes.send(command));
    return "pending";
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === DUPLICATE) return madeBefore(world, ref, hostId);
    if (CHANGED.has(error.code)) throw new MusterError("busy", `the machine ${machineId} changes just now`, {}, error);
    throw error;
  }
}

/** The image that has the name already. It did not show when it was looked for by its tags. */
async function madeBefore(world: Snapping, ref: MoveRef, hostId: string): Promise<Snapshot["state"]> {
  const image = await imageNamed(world, nameOf(world.deployment, { ...ref, hostId }));
  if (image === undefined || isGone(image)) return "pending";
  const of = keptOf(world.deployment, image.Tags);
  if (of?.clusterId === ref.clusterId && of.workspace === ref.workspace && of.move === ref.move) return stateOf(image);
  world.log.error("an image that is not Muster's has the name that a snapshot would have", { image: image.ImageId });
  return "failed";
}
