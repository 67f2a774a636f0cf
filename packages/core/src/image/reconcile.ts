/**
 * Moves an image as far as it can go now. Anything may call it, at any time, any number of times.
 *
 * Lifecycle: the record is the intent; `sentAt` is stored, the provider is called, and what it answered is stored. A call
 * whose outcome is unknown is made again: the provider finds what the first one made by its tag.
 *
 * Gotcha: nothing keeps people from starting the cluster. So the cluster's record is read before and after the call: the
 * disk stood still only if both show the stop that the image was asked for in. When they do not, the image fails.
 */
import * as Actor from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import { failureOf } from "../cluster/reconcile/fail.ts";
import { providerOf } from "../cluster/reconcile/provider.ts";
import type { Outcome } from "../cluster/reconcile/step.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { ImageRef, MachineProvider, SavedImage } from "../ports/provider.ts";
import { WriteConflict } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import { advance, amend, load, type Patch } from "../record.ts";
import * as Image from "./image.ts";

/** How often it is looked at, in ms. */
const LOOK = 15_000;
/** How long saving may take, in ms: a first copy of many terabytes takes many hours. */
const SAVE_WITHIN = 24 * 3_600_000;
/** A call that has not gone out so long after its `sentAt`, in ms, is not made: somebody may count on when it was. */
const SEND_WITHIN = 30_000;
/** More moves than the lifecycle has in a row. */
const MOST_STEPS = 5;

/** @returns the image as it stands; undefined when there is none. @throws what a port threw: try again later. */
export async function reconcile(world: World, ref: ImageRef): Promise<Image.Image | undefined> {
  let image = await find(world, ref);
  for (let step = 0; step < MOST_STEPS && image !== undefined; step++) {
    const outcome = await once(world, image);
    image = await find(world, ref);
    if (outcome === "wait") break;
  }
  return image;
}

const find = (world: World, { workspace, imageId }: ImageRef) =>
  load(world.table, Image.noun, Keys.image(workspace, imageId));

async function once(world: World, image: Awaited<ReturnType<typeof find>> & object): Promise<Outcome> {
  try {
    if (image.state === "saving") return await save(world, image);
    if (image.state === "removing") return await remove(world, image);
    if (image.state === "failed" && image.dueAt !== undefined) return await tidy(world, image);
    return "wait";
  } catch (error) {
    // Somebody else was first.
    if (error instanceof WriteConflict) return "again";
    if (!(error instanceof MusterError) || error.code !== "busy") throw error;
    return later(world, image, world.clock.now() + LOOK);
  }
}

async function save(world: World, image: Image.In<"saving">): Promise<Outcome> {
  const provider = providerOf(world, image);
  const now = world.clock.now();
  if (now > image.createdAt + SAVE_WITHIN) return fail(world, image, TOO_LONG);
  if (image.takenAt !== undefined) return watch(world, image, provider);
  if (!(await stoodStill(world, image))) return fail(world, image, disturbed(image));
  const { next, write } = amend<Image.Image>(Image.noun, image, { sentAt: now, dueAt: now + LOOK });
  await world.table.write([write]);
  if (world.clock.now() > now + SEND_WITHIN) return "wait";
  const saved = await call(world, provider, next as Image.In<"saving">);
  if (saved instanceof MusterError) return fail(world, next as Image.In<"saving">, failureOf(saved));
  if (!(await stoodStill(world, image))) return fail(world, next as Image.In<"saving">, disturbed(image));
  return take(world, next as Image.In<"saving">, saved);
}

/** @returns the error when the provider says that it never will. @throws MusterError `unavailable`, `busy` */
async function call(
  world: World,
  provider: MachineProvider,
  image: Image.In<"saving">,
): Promise<SavedImage | MusterError> {
  const { hostId, generation, clusterId, clusterName: cluster } = image.source;
  const { name, owner } = image;
  if (provider.saveImage === undefined) return new MusterError("unsupported", `provider '${provider.name}' saves none`);
  try {
    const of = { clusterId, generation, hostId, label: { name, owner, cluster } };
    return await provider.saveImage({ ...Image.refOf(image), ...of });
  } catch (error) {
    if (!(error instanceof MusterError) || error.code === "unavailable" || error.code === "busy") throw error;
    world.log.info("an image could not be saved", { image: image.id, reason: error.message });
    return error;
  }
}

/** Whether the cluster is still in the stop in which its image was asked for. */
async function stoodStill(world: World, { workspace, source }: Image.Image): Promise<boolean> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, source.clusterId));
  return (
    cluster?.state === "stopped" &&
    cluster.generation === source.generation &&
    cluster.changedAt === source.stoppedAt &&
    cluster.snapshotOf === undefined
  );
}

/** From here on the disk may be in use again. */
async function take(world: World, image: Image.In<"saving">, saved: SavedImage): Promise<Outcome> {
  const patch = { ...Image.described(saved), takenAt: world.clock.now() };
  if (saved.state === "complete") return move(world, image, "saved", patch);
  if (saved.state === "failed") return fail(world, image, broken(saved), patch);
  await world.table.write([amend<Image.Image>(Image.noun, image, patch).write]);
  return "wait";
}

async function watch(world: World, image: Image.In<"saving">, provider: MachineProvider): Promise<Outcome> {
  const now = world.clock.now();
  const saved = await provider.image?.(Image.refOf(image));
  if (saved === undefined)
    return now < Image.certainAt(image, provider.capabilities)
      ? later(world, image, now + LOOK)
      : fail(world, image, GONE);
  if (saved.state === "failed") return fail(world, image, broken(saved));
  if (saved.state === "pending") return later(world, image, now + LOOK);
  return move(world, image, "saved", Image.described(saved));
}

/** What there is of it is deleted, until nothing is and nothing more can come. */
async function isGone(world: World, image: Image.In<"failed" | "removing">): Promise<boolean> {
  const provider = providerOf(world, image);
  const now = world.clock.now();
  const certainAt = Image.certainAt(image, provider.capabilities);
  if (image.sentAt !== undefined) await provider.deleteImage?.(Image.refOf(image));
  if (now >= certainAt) return true;
  await later(world, image, certainAt);
  return false;
}

const remove = async (world: World, image: Image.In<"removing">): Promise<Outcome> =>
  (await isGone(world, image)) ? move(world, image, "gone") : "wait";

async function tidy(world: World, image: Image.In<"failed">): Promise<Outcome> {
  if (await isGone(world, image))
    await world.table.write([amend<Image.Image>(Image.noun, image, { dueAt: undefined }).write]);
  return "wait";
}

async function later(world: World, image: Parameters<typeof once>[1], dueAt: number): Promise<Outcome> {
  await world.table.write([amend<Image.Image>(Image.noun, image, { dueAt }).write]);
  return "wait";
}

async function move(
  world: World,
  image: Parameters<typeof once>[1],
  event: "saved" | "gone",
  patch: Patch<Image.Image> = {},
): Promise<Outcome> {
  const actor = Actor.system(image.workspace);
  await world.table.write(advance(world, Image.kind, actor, image, event, patch).writes);
  return "again";
}

async function fail(
  world: World,
  image: Image.In<"saving">,
  failure: Cluster.Failure,
  more: Patch<Image.Image> = {},
): Promise<Outcome> {
  const patch = { ...more, failure, dueAt: world.clock.now() };
  const actor = Actor.system(image.workspace);
  const why = { message: failure.message };
  await world.table.write(advance(world, Image.kind, actor, image, "fail", patch, why).writes);
  return "again";
}

const disturbed = ({ source: { clusterName } }: Image.Image): Cluster.Failure => ({
  code: "cluster_changed",
  message: `cluster '${clusterName}' was started, moved or ended before its disk was copied`,
  hint: `stop it, and save it again: muster stop ${clusterName}; muster image save ${clusterName}`,
});

const broken = ({ message }: SavedImage): Cluster.Failure => ({
  code: "save_failed",
  message: `the disk could not be copied${message === undefined ? "" : `: ${message}`}`,
  hint: "save it again",
});

const GONE: Cluster.Failure = { code: "save_failed", message: "somebody else has deleted it", hint: "save it again" };

const TOO_LONG: Cluster.Failure = {
  code: "save_failed",
  message: "the disk was not copied within a day",
  hint: "save it again",
};
