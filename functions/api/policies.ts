import type { Runs } from "@muster/api/serve.ts";
import { autostop } from "@muster/core/cluster/change.ts";
import { hold, release } from "@muster/core/cluster/hold.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const policies = (world: Edge) =>
  ({
    "clusters.autostop": ({ actor, params, body }) => autostop(world, actor, params.cluster, body.idle),
    "clusters.hold": ({ actor, params, body }) => hold(world, actor, params.cluster, body),
    "clusters.release": ({ actor, params }) => release(world, actor, params.cluster),
  }) satisfies Runs;
