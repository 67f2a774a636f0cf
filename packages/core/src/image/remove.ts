/** Removing an image. Its name is free at once; machines that were made from it stay as they are. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { advance } from "../record.ts";
import * as Image from "./image.ts";

/** May be said twice. @throws MusterError `not_found`, `forbidden`. */
export const remove = (world: Basics, actor: Actor, reference: string): Promise<Image.Info> =>
  retrying(async () => {
    const image = await Image.find(world.table, actor.workspace, reference);
    Image.requireControl(actor, image);
    if (image.state === "removing" || image.state === "removed") {
      await commit(world, actor, [], Image.info(image));
      return Image.info(image);
    }
    const key = Keys.imageName(image.workspace, image.name);
    const lock = await world.table.get(key);
    const unlock: Write[] = lock?.data.imageId === image.id ? [{ remove: key, expect: lock.version }] : [];
    const { next, writes } = advance(world, Image.kind, actor, image, "remove", { dueAt: world.clock.now() });
    await commit(world, actor, [...writes, ...unlock], Image.info(next));
    return Image.info(next);
  });
