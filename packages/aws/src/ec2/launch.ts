/**
 * One intent, one RunInstances.
 *
 * Lifecycle: what the call needs is looked up or made first (image, security group, placement group), most of it out of
 * memory; then the call is made once, with the intent's token and with all tags in it.
 *
 * Gotcha: EC2 knows a call that was sent again by its token, and refuses it when anything else in it changed: an image was
 * renewed meanwhile, or a deploy changed the user data. Then something was made with that token, and its machines are found
 * by their tags. They are this try's as much as if the answer had come.
 *
 * Gotcha: a token holds within one zone only, so a try never changes its zone.
 */
import { type Instance, RunInstancesCommand, type Tag } from "@aws-sdk/client-ec2";
import { savedOf } from "@muster/core/image/name.ts";
import type { Intent, Machine } from "@muster/core/ports/provider.ts";
import type { Catalog, Image, MachineType } from "../catalog/catalog.ts";
import { Fault } from "../fault.ts";
import { answerOf } from "./client.ts";
import { disksOf, ownDisksOf } from "./disk.ts";
import { type NamedImage, requireNamable, usualImage } from "./image.ts";
import type { Place } from "./network.ts";
import { observeAll } from "./observe.ts";
import { bringsImage } from "./offers/place.ts";
import { ENDED, type Launching, MISMATCH, prepare, refusalOf, requestOf } from "./request.ts";
import { lost, settled } from "./settled.ts";
import { machineOf, tagsOf, tokenOf } from "./tags.ts";

/** @throws Fault of any of its calls; MusterError where this intent cannot be, or where nobody knows what became of it. */
export async function launch(world: Launching, intent: Intent): Promise<readonly Machine[]> {
  const saved = savedOf(intent.resources);
  const parts = await prepare<NamedImage>(world, intent, (catalog, type) => startFrom(world, intent, catalog, type));
  const tags = tagsOf(world, intent);
  const request = requestOf(world, intent, parts, {
    token: tokenOf(world.deployment, intent),
    image: parts.source.id,
    // Those of a machine's own disks are encrypted already.
    disks: (saved ? ownDisksOf : disksOf)(intent.resources, parts.source, world.kmsKey),
    tags,
  });
  try {
    const { Instances: made } = await answerOf("RunInstances", world.ec2.writes.send(new RunInstancesCommand(request)));
    return await settled(world, intent, made?.map(instance => madeNow(world.deployment, instance, tags)) ?? []);
  } catch (error) {
    if (error instanceof Fault) return await refused(world, intent, parts.place, error);
    throw error;
  }
}

/** The saved image, the one that the task brings, or the usual one. */
async function startFrom(
  world: Launching,
  { resources }: Intent,
  catalog: Catalog,
  type: MachineType,
): Promise<NamedImage | Image> {
  const saved = savedOf(resources);
  if (saved !== undefined) return world.images.get(saved.ref);
  if (!bringsImage(resources)) return usualImage(catalog, type);
  return requireNamable(await world.images.get(resources.image ?? ""));
}

/** The answer of RunInstances may come without the tags that the call gave. */
export const madeNow = (deployment: string, instance: Instance, tags: Tag[]) => ({
  instance,
  machine: machineOf(deployment, { ...instance, Tags: tags }),
});

async function refused(world: Launching, intent: Intent, place: Place, fault: Fault): Promise<readonly Machine[]> {
  if (fault.code === MISMATCH || fault.code === ENDED) return madeBefore(world, intent, fault);
  const named = savedOf(intent.resources)?.ref ?? intent.resources.image;
  if (fault.code.startsWith("InvalidAMIID.") && named !== undefined) world.images.forget(named);
  throw refusalOf(world, intent, place, fault);
}

/** The machines that an earlier send of this try made. */
async function madeBefore(world: Launching, intent: Intent, fault: Fault): Promise<readonly Machine[]> {
  world.log.info("a launch was sent before, and its token is used up; its machines are looked for", {
    cluster: intent.clusterId,
    try: intent.try,
  });
  const seen = await observeAll(world, intent);
  const mine = seen.filter(({ machine }) => machine.generation === intent.generation && machine.try === intent.try);
  if (mine.length === 0) throw fault.code === ENDED ? fault : lost(intent, fault);
  return settled(world, intent, mine);
}
