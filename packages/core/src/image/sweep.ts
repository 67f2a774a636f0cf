/** Images at a provider that no record owns, or that were removed: they cost what they cost until they are deleted. */
import * as Keys from "../keys.ts";
import type { FoundImage, MachineProvider } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import * as Image from "./image.ts";

/** How old one must be, in ms, of which there is no record at all: a table that was put back may be behind for a while. */
const SAFE = 3_600_000;

/** The provider is listed first, so that the records are never older than the images. One that fails keeps no other. */
export async function sweepImages(world: World, provider: MachineProvider): Promise<void> {
  for (const found of (await provider.images?.()) ?? []) {
    try {
      if (await isOrphan(world, found)) await provider.deleteImage?.(found);
    } catch (error) {
      const about = { provider: provider.name, image: found.imageId, reason: String(error) };
      world.log.error("an image without an owner could not be deleted", about);
    }
  }
}

async function isOrphan(world: World, { workspace, imageId, createdAt }: FoundImage): Promise<boolean> {
  const image = await load(world.table, Image.noun, Keys.image(workspace, imageId));
  if (image === undefined) return createdAt + SAFE < world.clock.now();
  // One that has failed, or is being removed, is seen to by its own deadline, until that is over.
  return image.state === "removed" || (image.state === "failed" && image.dueAt === undefined);
}
