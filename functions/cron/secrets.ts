/** Every hour: secrets that nobody needs any more. */
import type { World } from "@muster/core/ports/world.ts";
import { sweepSecrets } from "@muster/core/secret/sweep.ts";

export const secrets = (world: World) => () => sweepSecrets(world);
