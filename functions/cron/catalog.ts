/** Every hour: what machines there are, and what they cost. */
import { refresh, type Source } from "@muster/aws/catalog/refresh.ts";
import { read, write } from "@muster/aws/catalog/stored.ts";
import type { Fleet } from "@muster/aws/settings.ts";
import type { World } from "@muster/core/ports/world.ts";

export const catalog =
  (world: Pick<World, "blobs" | "clock" | "log">, source: Source, fleet: Pick<Fleet, "network">) =>
  async (): Promise<void> => {
    const previous = await read(world.blobs, source.aws.region).catch((error: unknown) => {
      world.log.error("the last catalog cannot be read: it is made from nothing", { reason: String(error) });
      return undefined;
    });
    const made = await refresh(source, fleet, world.clock.now(), previous);
    for (const problem of made.problems) world.log.error("a part of the catalog is missing", { ...problem });
    await write(world.blobs, made);
  };
