import type { Runs } from "@muster/api/serve.ts";
import { hold, release } from "@muster/core/cluster/hold.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const holds = (world: Edge) =>
  ({
    "clusters.hold": ({ actor, params, body }) => hold(world, actor, params.cluster, body),
    "clusters.release": ({ actor, params }) => release(world, actor, params.cluster),
  }) satisfies Runs;
