/** A provider of ours that saves images: each stays as the test sets it. It proves what core does, and nothing about any cloud. */

import type * as Image from "@muster/core/image/image.ts";
import * as Read from "@muster/core/image/read.ts";
import { reconcile } from "@muster/core/image/reconcile.ts";
import { save } from "@muster/core/image/save.ts";
import type { FoundImage, ImageIntent, ImageRef, SavedImage } from "@muster/core/ports/provider.ts";
import { stoppedCluster } from "./requests.ts";
import { ADA, type FakeProvider, type TestWorld, testWorld } from "./world.ts";

export interface Images {
  /** What there is, by id. */
  readonly held: Map<string, FoundImage & SavedImage>;
  readonly intents: ImageIntent[];
  /** Thrown by calls of this name. */
  readonly failing: Map<"save" | "delete", Error>;
  /** Thrown by the next save after it has made its image. */
  loseAnswer: Error | undefined;
  /** Done in the middle of the next save, before the image is made. */
  meanwhile: (() => Promise<unknown>) | undefined;
  /** What a save begins with. */
  state: SavedImage["state"];
  end(state: SavedImage["state"]): void;
}

export function imagable(provider: FakeProvider): Images {
  const held: Images["held"] = new Map();
  const images: Images = {
    held,
    intents: [],
    failing: new Map(),
    loseAnswer: undefined,
    meanwhile: undefined,
    state: "pending",
    end: state => {
      for (const [id, image] of held) held.set(id, { ...image, state });
    },
  };
  const meet = (what: "save" | "delete"): void => {
    const error = images.failing.get(what);
    if (error) throw error;
  };
  Object.assign(provider, {
    capabilities: { ...provider.capabilities, image: true },
    saveImage: async (intent: ImageIntent): Promise<SavedImage> => {
      images.intents.push(intent);
      meet("save");
      const { meanwhile, loseAnswer } = images;
      images.meanwhile = undefined;
      images.loseAnswer = undefined;
      await meanwhile?.();
      const { workspace, imageId } = intent;
      const fresh = { workspace, imageId, createdAt: 0, state: images.state, ref: `fake-${imageId}`, size: 8 };
      const made = held.get(imageId) ?? fresh;
      held.set(imageId, made);
      if (loseAnswer) throw loseAnswer;
      return made;
    },
    image: async ({ imageId }: ImageRef) => held.get(imageId),
    images: async () => [...held.values()],
    deleteImage: async ({ imageId }: ImageRef) => {
      meet("delete");
      held.delete(imageId);
    },
  });
  return images;
}

export const imageRef = (imageId: string) => ({ workspace: "acme", imageId });

export const imageState = async (world: TestWorld, id: string) => (await Read.get(world, ADA, id)).state;

/** A world whose provider saves images. */
export const imaging = () => {
  const world = testWorld();
  return { world, images: imagable(world.provider) };
};

/** A stopped cluster `demo`, and an image of it that is being saved. */
export async function saving(more: Partial<Image.Save> = {}) {
  const { world, images } = imaging();
  const { id: clusterId } = await stoppedCluster(world);
  const { id } = await save(world, ADA, { cluster: "demo", ...more });
  return { world, images, clusterId, id };
}

/** The same, ready. */
export async function saved(more: Partial<Image.Save> = {}) {
  const made = await saving(more);
  made.images.state = "complete";
  await reconcile(made.world, imageRef(made.id));
  return made;
}
