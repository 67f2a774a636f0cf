import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { ask, get } from "@muster/core/sweep/request.ts";

export const sweeps = (world: Facing) =>
  ({
    "sweeps.create": ({ actor, body }) => ask(world, actor, body),
    "sweeps.get": ({ actor, params }) => get(world, actor, params.sweep),
  }) satisfies Runs;
