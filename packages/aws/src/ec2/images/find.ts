/** What is there of saved images: AMIs, and the EBS snapshots that they are made of, found by their tags. */
import { DescribeSnapshotsCommand, type Filter, type Image } from "@aws-sdk/client-ec2";
import type { FoundImage, ImageRef, SavedImage } from "@muster/core/ports/provider.ts";
import { answerOf } from "../client.ts";
import { namedOf } from "../image.ts";
import type { Seeing } from "../observe.ts";
import { described, isGone, PAGE, pagesOf, stateOf } from "../snapshot/find.ts";
import { DEPLOYMENT, WORKSPACE, withTag } from "../tags.ts";
import { IMAGE, nameOf, savedOf } from "./tags.ts";

export interface Regional extends Seeing {
  readonly aws: { readonly region: string };
}

/** One AMI, or one EBS snapshot. */
interface Found {
  readonly id: string;
  readonly of: FoundImage;
}
export interface FoundAmi extends Found {
  readonly state: SavedImage["state"];
  readonly image: Image;
}

/** The AMIs of an image, or of all. @throws Fault */
export async function amisOf(world: Seeing, ref?: ImageRef): Promise<readonly FoundAmi[]> {
  const images = await described(world, filtersOf(world.deployment, ref));
  return images.flatMap(image => found(world, image));
}

function found({ deployment, log }: Seeing, image: Image): FoundAmi[] {
  const { ImageId: id, Tags: tags, CreationDate: created } = image;
  if (id === undefined || isGone(image)) return [];
  const of = savedOf(deployment, tags);
  // A copy that somebody made may bear the same tags, and another name.
  if (of !== undefined && image.Name === nameOf(deployment, of.imageId))
    return [{ id, of: { ...of, createdAt: timeOf(created) }, state: stateOf(image), image }];
  log.error("an image bears some of Muster's tags and is not Muster's: it is left alone", { image: id });
  return [];
}

/** The EBS snapshots of an image, or of all: also of images that are gone. @throws Fault */
export async function snapshotsOf({ ec2, deployment }: Seeing, ref?: ImageRef): Promise<readonly Found[]> {
  const query = { OwnerIds: ["self"], Filters: filtersOf(deployment, ref), MaxResults: PAGE };
  const pages = await pagesOf(next =>
    answerOf("DescribeSnapshots", ec2.reads.send(new DescribeSnapshotsCommand({ ...query, ...next }))),
  );
  return pages
    .flatMap(page => page.Snapshots ?? [])
    .flatMap(({ SnapshotId: id, Tags: tags, StartTime: started }) => {
      const of = savedOf(deployment, tags);
      return id === undefined || of === undefined ? [] : [{ id, of: { ...of, createdAt: timeOf(started) } }];
    });
}

/** One of which nobody knows when it was made is never old. */
function timeOf(date: string | Date | undefined): number {
  const at = date === undefined ? Number.NaN : new Date(date).getTime();
  return Number.isNaN(at) ? Number.MAX_SAFE_INTEGER : at;
}

function filtersOf(deployment: string, ref: ImageRef | undefined): Filter[] {
  const ofDeployment = withTag(DEPLOYMENT, deployment);
  if (ref === undefined) return [ofDeployment, { Name: "tag-key", Values: [IMAGE] }];
  return [ofDeployment, withTag(WORKSPACE, ref.workspace), withTag(IMAGE, ref.imageId)];
}

const ARCHITECTURES = new Set(["x86_64", "arm64"]);

/** What has become of it; undefined while it does not show. @throws Fault */
export async function image(world: Regional, ref: ImageRef): Promise<SavedImage | undefined> {
  const [ami] = await amisOf(world, ref);
  return ami && shown(world, ami);
}

export function shown({ aws }: Regional, { id, state, image: ami }: FoundAmi): SavedImage {
  const { Architecture: architecture, StateReason: reason } = ami;
  const size = namedOf(ami)?.minDisk;
  return {
    state,
    ref: id,
    region: aws.region,
    ...(architecture !== undefined && ARCHITECTURES.has(architecture) && { architecture }),
    ...(size !== undefined && { size }),
    ...(state === "failed" && { message: reason?.Message ?? `EC2 calls it '${ami.State}'` }),
  };
}

/** Of which images there are AMIs, or EBS snapshots that AMIs left; each with when the last of it was made. @throws Fault */
export async function images(world: Seeing): Promise<readonly FoundImage[]> {
  const all = [...(await amisOf(world)), ...(await snapshotsOf(world))].map(({ of }) => of);
  const latest = new Map<string, FoundImage>();
  for (const one of all) {
    const key = JSON.stringify([one.workspace, one.imageId]);
    const known = latest.get(key);
    if (known === undefined || known.createdAt < one.createdAt) latest.set(key, one);
  }
  return [...latest.values()];
}
