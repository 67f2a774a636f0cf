/** Handlers of the function `config`: for people who set something up. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { jobGroups } from "../api/jobgroups.ts";
import { policies } from "../api/policies.ts";
import { pools } from "../api/pools.ts";
import { schedules } from "../api/schedules.ts";
import { secrets } from "../api/secrets.ts";

export const config = (world: Edge) =>
  ({
    ...policies(world),
    ...jobGroups(world),
    ...pools(world),
    ...schedules(world),
    ...secrets(world),
  }) satisfies Runs;
