/** Images: the disk of a cluster's first host as it was when the cluster stood still, for later clusters to start from. */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { Failure } from "../cluster/machines.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Capabilities, ImageRef, SavedImage } from "../ports/provider.ts";
import type { Indexes, Table } from "../ports/table.ts";
import { fieldsOf, load, type Noun, type Stored } from "../record.ts";
import { Name } from "../task/task.ts";
import { unknown } from "../unknown.ts";
import { life } from "./life.ts";

/** Whose disk it is, and since when that disk stood still. */
const Source = z.object({
  clusterId: z.string(),
  clusterName: z.string(),
  hostId: z.string(),
  generation: z.number().int(),
  /** Epoch ms since when the cluster is stopped: another time is another stop, and between the two the disk was in use. */
  stoppedAt: z.number(),
});

const base = {
  id: z.string(),
  workspace: z.string(),
  /** Told apart whatever its letters' case; free again as soon as the image is removed. */
  name: z.string(),
  owner: z.string(),
  provider: z.string(),
  source: Source,
  /** The machine type that it was saved on. */
  instanceType: z.string(),
  /** Epoch ms of the last call for it that went out. */
  sentAt: z.number().optional(),
  /** Epoch ms at which such a call had answered: from then on the disk may be in use again. */
  takenAt: z.number().optional(),
  /** The provider's own name of it. */
  ref: z.string().optional(),
  region: z.string().optional(),
  architecture: z.string().optional(),
  /** GiB of the disk. */
  size: z.number().optional(),
  /** Epoch ms. */
  createdAt: z.number(),
  /** Epoch ms of the last change of state. */
  changedAt: z.number(),
};
/** Epoch ms at which somebody must look at it again. */
const dueAt = z.number();
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const Image = z.discriminatedUnion("state", [
  variant("saving", { dueAt }),
  variant("ready", {}),
  variant("failed", { failure: Failure, /** Absent: nothing of it is left. */ dueAt: dueAt.optional() }),
  variant("removing", { dueAt, failure: Failure.optional() }),
  variant("removed", { failure: Failure.optional() }),
]);
export type Image = z.infer<typeof Image>;
export type State = Image["state"];
export type In<S extends State> = Stored<Extract<Image, { state: S }>>;

export const noun: Noun<Image> = {
  type: "image",
  schema: Image,
  fields: fieldsOf(Image),
  key: record => Keys.image(record.workspace, record.id),
  indexes: record => ({
    ...(record.state !== "removed" && { list: Keys.list(record.workspace, "image", record.id) }),
    ...dueIndex(record),
  }),
};
export const kind = { noun, life };

function dueIndex(record: Image): Indexes {
  if (!("dueAt" in record) || record.dueAt === undefined) return {};
  return { due: Keys.due(Keys.image(record.workspace, record.id).pk, record.id, record.dueAt) };
}

/** An image as the API shows it. */
export const Info = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(life.states as [State, ...State[]]),
  owner: z.string(),
  provider: z.string(),
  cluster: z.string().meta({ description: "Name that the cluster had whose disk it is" }),
  clusterId: z.string(),
  instanceType: z.string().meta({ description: "Machine type that it was saved on" }),
  ref: z.string().optional().meta({ description: "The provider's own name of it" }),
  region: z.string().optional(),
  architecture: z.string().optional(),
  size: z.number().optional().meta({ description: "GiB of the disk" }),
  takenAt: z
    .number()
    .optional()
    .meta({ description: "Epoch milliseconds from which the cluster may be started again" }),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
  changedAt: z.number().meta({ description: "Epoch milliseconds of the last change of state" }),
  failure: Failure.optional(),
});
export type Info = z.infer<typeof Info>;

export const info = (image: Image): Info =>
  Info.parse({ ...image, cluster: image.source.clusterName, clusterId: image.source.clusterId });

/** What a caller may ask for. */
export const Save = z.strictObject({
  cluster: z.string().min(1).max(63).meta({ description: "Id or name of a stopped cluster" }),
  name: Name.refine(text => !Id.looksLikeId(text), "a name does not begin like an id (clu_, img_, …)")
    .optional()
    .meta({ description: "The image's name; absent: the cluster's" }),
});
export type Save = z.infer<typeof Save>;

export const Param = z.object({ image: z.string().min(1).max(63).meta({ description: "Id or name of the image" }) });

export const refOf = ({ workspace, id }: Pick<Image, "workspace" | "id">): ImageRef => ({ workspace, imageId: id });

/** Epoch ms from which nothing can come any more of the calls for it, and what they made shows. */
export function certainAt({ sentAt, takenAt }: Image, { settle, unknown }: Pick<Capabilities, "settle" | "unknown">) {
  const sent = sentAt === undefined ? 0 : sentAt + unknown;
  return takenAt === undefined ? sent : Math.max(sent, takenAt + settle);
}

/** What the provider says of it, for its record. */
export const described = ({ ref, region, architecture, size }: SavedImage) => ({ ref, region, architecture, size });

const Lock = z.object({ imageId: z.string() });

/** The image that has this name; undefined when there is none. */
export async function byName(table: Table, workspace: string, name: string): Promise<Stored<Image> | undefined> {
  const lock = await table.get(Keys.imageName(workspace, name));
  return lock && load(table, noun, Keys.image(workspace, Lock.parse(lock.data).imageId));
}

/** By id or name. @throws MusterError `not_found`, with the nearest name; the same for another workspace's as for none. */
export async function find(table: Table, workspace: string, reference: string): Promise<Stored<Image>> {
  const image = Id.is("image", reference)
    ? await load(table, noun, Keys.image(workspace, reference))
    : await byName(table, workspace, reference);
  if (image) return image;
  throw await unknown(table, workspace, "image", reference);
}

/** @throws MusterError `forbidden` unless the actor saved it or is an admin. */
export function requireControl(actor: Actor, image: Image): void {
  if (image.owner === actor.id || actor.role === "admin") return;
  throw new MusterError("forbidden", `image '${image.name}' belongs to ${image.owner}`, {
    hint: "its owner or an admin may do that",
  });
}
