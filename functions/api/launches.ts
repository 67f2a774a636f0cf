import type { Runs } from "@muster/api/serve.ts";
import { create, plan } from "@muster/core/launch/create.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const launches = (world: Edge) =>
  ({
    "launches.create": ({ actor, body }) => create(world, actor, body),
    "launches.plan": ({ actor, body }) => plan(world, actor, body),
  }) satisfies Runs;
