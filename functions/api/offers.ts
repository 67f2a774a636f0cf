import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { catalog, doctor } from "@muster/core/provider/look.ts";

export const offers = (world: Facing) =>
  ({
    "providers.catalog": ({ query }) => catalog(world, query),
    "providers.doctor": () => doctor(world),
  }) satisfies Runs;
