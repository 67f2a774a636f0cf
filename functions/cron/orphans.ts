/** Every five minutes: machines that nobody owns, and what else is left of clusters that are gone. */
import type { World } from "@muster/core/ports/world.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";

export const orphans = (world: World) => () => sweepOrphans(world);
