/** Handlers of the function `config`: for people who set something up. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { images } from "../api/images.ts";
import { jobGroups } from "../api/jobgroups.ts";
import { policies } from "../api/policies.ts";
import { pools } from "../api/pools.ts";
import { schedules } from "../api/schedules.ts";
import { secrets } from "../api/secrets.ts";
import { targets } from "../api/targets.ts";

export const config = (world: Edge) =>
  ({
    ...policies(world),
    ...images(world),
    ...jobGroups(world),
    ...pools(world),
    ...schedules(world),
    ...secrets(world),
    ...targets(world),
  }) satisfies Runs;
