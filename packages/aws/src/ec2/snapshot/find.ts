/** What is there of snapshots: images, and the EBS snapshots that they are made of, found by their tags. */
import {
  DescribeImagesCommand,
  type DescribeImagesCommandInput,
  DescribeSnapshotsCommand,
  type Filter,
  type Image,
} from "@aws-sdk/client-ec2";
import type { MoveRef, Snapshot } from "@muster/core/ports/provider.ts";
import { answerOf } from "../client.ts";
import type { Seeing } from "../observe.ts";
import { CLUSTER, DEPLOYMENT, WORKSPACE, withTag } from "../tags.ts";
import { type Kept, keptOf, MOVE, nameOf } from "./tags.ts";

/** Things per page; the most that EC2 gives. */
export const PAGE = 1000;

export interface FoundImage {
  readonly id: string;
  readonly of: Kept;
  readonly state: Snapshot["state"];
  readonly image: Image;
}

/** An EBS snapshot: one disk of a host. */
export interface FoundPart {
  readonly id: string;
  readonly of: Kept;
}

/** The images of a move, or of all. @throws Fault */
export async function imagesOf(world: Seeing, ref?: MoveRef): Promise<readonly FoundImage[]> {
  const images = await described(world, filtersOf(world.deployment, ref));
  return images.flatMap(image => foundImage(world, image));
}

/** The image that has this name, whosever it is. A name is given once. @throws Fault */
export async function imageNamed(world: Seeing, name: string): Promise<Image | undefined> {
  return (await described(world, [{ Name: "name", Values: [name] }]))[0];
}

/** The EBS snapshots of a move, or of all: also of images that are gone. @throws Fault */
export async function partsOf({ ec2, deployment, log }: Seeing, ref?: MoveRef): Promise<readonly FoundPart[]> {
  const pages = await pagesOf(next =>
    answerOf(
      "DescribeSnapshots",
      ec2.reads.send(
        new DescribeSnapshotsCommand({
          OwnerIds: ["self"],
          Filters: filtersOf(deployment, ref),
          MaxResults: PAGE,
          ...next,
        }),
      ),
    ),
  );
  return pages
    .flatMap(page => page.Snapshots ?? [])
    .flatMap(({ SnapshotId: id, Tags: tags }) => {
      const of = keptOf(deployment, tags);
      if (id !== undefined && of !== undefined) return [{ id, of }];
      log.error("an EBS snapshot bears only some of Muster's tags, and is left alone", { snapshot: id });
      return [];
    });
}

const states: Readonly<Record<string, Snapshot["state"]>> = { available: "complete", pending: "pending" };

/** What is neither ready nor on its way is of no use: also what somebody disabled. */
export const stateOf = ({ State: state }: Image): Snapshot["state"] => states[state ?? ""] ?? "failed";

/** EC2 goes on showing an image for a while after its end. */
export const isGone = ({ State: state }: Image): boolean => state === "deregistered";

function foundImage({ deployment, log }: Seeing, image: Image): FoundImage[] {
  const { ImageId: id, Tags: tags } = image;
  if (id === undefined || isGone(image)) return [];
  const of = keptOf(deployment, tags);
  // A copy that somebody made may bear the same tags, and another name.
  if (of !== undefined && image.Name === nameOf(deployment, of)) return [{ id, of, state: stateOf(image), image }];
  log.error("an image bears some of Muster's tags and is not Muster's: it is left alone", { image: id });
  return [];
}

/** The account's own images of these filters, page by page. @throws Fault */
export function described({ ec2 }: Seeing, Filters: Filter[]): Promise<Image[]> {
  // Disabled ones are asked for: they keep their names, and cost what they cost.
  const query: DescribeImagesCommandInput = { Owners: ["self"], IncludeDisabled: true, Filters, MaxResults: PAGE };
  const ask = (next: object) =>
    answerOf("DescribeImages", ec2.reads.send(new DescribeImagesCommand({ ...query, ...next })));
  return pagesOf(ask).then(pages => pages.flatMap(page => page.Images ?? []));
}

function filtersOf(deployment: string, ref: MoveRef | undefined): Filter[] {
  const ofDeployment = withTag(DEPLOYMENT, deployment);
  if (ref === undefined) return [ofDeployment, { Name: "tag-key", Values: [MOVE] }];
  const { workspace, clusterId, move } = ref;
  return [ofDeployment, withTag(WORKSPACE, workspace), withTag(CLUSTER, clusterId), withTag(MOVE, String(move))];
}

/** All pages of a list. */
export async function pagesOf<P extends { readonly NextToken?: string | undefined }>(
  ask: (next: { readonly NextToken?: string }) => Promise<P>,
): Promise<P[]> {
  const pages: P[] = [];
  let next: { readonly NextToken?: string } | undefined = {};
  while (next !== undefined) {
    const page: P = await ask(next);
    pages.push(page);
    next = page.NextToken ? { NextToken: page.NextToken } : undefined;
  }
  return pages;
}
