/** Images at a provider that no record owns, or that were removed. */
import * as Keys from "../keys.ts";
import type { FoundImage, MachineProvider } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import { isIn, type Scope } from "../sweep/scope.ts";
import { surviving } from "../sweep/surviving.ts";
import * as Image from "./image.ts";

/** How old one must be, in ms, of which there is no record at all: a table that was put back may be behind for a while. */
const SAFE = 3_600_000;

/** The provider is listed first, so that the records are never older than the images. One that cannot be read keeps no other. */
export async function orphanedImages(
  world: World,
  provider: MachineProvider,
  scope: Scope,
): Promise<readonly (FoundImage & { readonly why: string })[]> {
  const orphans: (FoundImage & { readonly why: string })[] = [];
  for (const found of ((await provider.images?.()) ?? []).filter(one => isIn(scope, one))) {
    const about = { provider: provider.name, image: found.imageId };
    const look = () => whyOrphan(world, found);
    const why = await surviving(world, "an image could not be looked at", about, look, scope.tell);
    if (why !== undefined) orphans.push({ ...found, why });
  }
  return orphans;
}

/** @returns undefined when it is somebody's. */
async function whyOrphan(world: World, { workspace, imageId, createdAt }: FoundImage): Promise<string | undefined> {
  const image = await load(world.table, Image.noun, Keys.image(workspace, imageId));
  if (image === undefined) return createdAt + SAFE < world.clock.now() ? "there is no record of it" : undefined;
  // One that has failed, or is being removed, is seen to by its own deadline, until that is over.
  const isLeft = image.state === "removed" || (image.state === "failed" && image.dueAt === undefined);
  return isLeft ? `image '${image.name}' is ${image.state}` : undefined;
}
