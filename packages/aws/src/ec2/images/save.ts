/**
 * An AMI of a stopped machine, with all of its EBS disks.
 *
 * Gotcha: an AMI that was just made may not show for some seconds. The next call for it is refused for its name, which is
 * the same every time: that is success.
 */
import { CreateImageCommand } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { ImageIntent, SavedImage } from "@muster/core/ports/provider.ts";
import { Fault } from "../../fault.ts";
import { answerOf } from "../client.ts";
import { observe } from "../observe.ts";
import { imageNamed, isGone, stateOf } from "../snapshot/find.ts";
import { CHANGED, DUPLICATE } from "../snapshot/take.ts";
import type { Tags } from "../tags.ts";
import { amisOf, type Regional, shown } from "./find.ts";
import { nameOf, savedOf, tagsFor } from "./tags.ts";

export interface Saving extends Regional {
  /** Tags that everything of this deployment must bear. */
  readonly tags: Tags;
}

/**
 * @throws Fault; MusterError `busy` while the machine is not stopped: then nothing was made; `launch_failed` when it is gone.
 */
export async function saveImage(world: Saving, intent: ImageIntent): Promise<SavedImage> {
  const [there] = await amisOf(world, intent);
  if (there !== undefined) return shown(world, there);
  const machineId = await machineOf(world, intent);
  const Tags = tagsFor(world, intent);
  const command = new CreateImageCommand({
    InstanceId: machineId,
    Name: nameOf(world.deployment, intent.imageId),
    Description: `Saved by Muster of cluster ${intent.label.cluster}`,
    // It is stopped; and if somebody has just started it, it is not for an image to reboot it.
    NoReboot: true,
    TagSpecifications: (["image", "snapshot"] as const).map(ResourceType => ({ ResourceType, Tags })),
  });
  try {
    const { ImageId: ref = "" } = await answerOf("CreateImage", world.ec2.writes.send(command));
    return { state: "pending", ref };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code === DUPLICATE) return madeBefore(world, intent);
    if (CHANGED.has(error.code)) throw new MusterError("busy", `the machine ${machineId} changes just now`, {}, error);
    throw error;
  }
}

async function machineOf(world: Saving, { workspace, clusterId, generation, hostId }: ImageIntent): Promise<string> {
  const seen = await observe(world, { workspace, clusterId });
  const machine = seen
    .map(one => one.machine)
    .find(one => one.generation === generation && one.hostId === hostId && one.state !== "terminating");
  if (machine === undefined) throw new MusterError("launch_failed", `the machine of ${hostId} is gone`);
  if (machine.state === "stopped") return machine.machineId;
  throw new MusterError("busy", `the machine ${machine.machineId} is ${machine.state}, and must be stopped first`);
}

/** The AMI that has the name already. It did not show when it was looked for by its tags. */
async function madeBefore(world: Saving, { workspace, imageId }: ImageIntent): Promise<SavedImage> {
  const name = nameOf(world.deployment, imageId);
  const image = await imageNamed(world, name);
  if (image === undefined || isGone(image)) return { state: "pending", ref: name };
  const of = savedOf(world.deployment, image.Tags);
  const ref = image.ImageId ?? name;
  if (of?.workspace === workspace && of.imageId === imageId)
    return shown(world, { id: ref, of: { ...of, createdAt: 0 }, state: stateOf(image), image });
  world.log.error("an image that is not Muster's has the name that a saved one would have", { image: ref });
  return { state: "failed", ref, message: `the account has another image of the name ${name}` };
}
