/** Every minute: what is due. */
import type { World } from "@muster/core/ports/world.ts";
import { sweepDue } from "@muster/core/sweep.ts";

export const due = (world: World) => () => sweepDue(world);
