/** Every minute: what is due. */
import type { World } from "@muster/core/ports/world.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";

export const due = (world: World) => () => sweepDue(world);
