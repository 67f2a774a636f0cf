import type { Runs } from "@muster/api/serve.ts";
import { create } from "@muster/core/jobgroup/create.ts";
import { get } from "@muster/core/jobgroup/read.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const jobGroups = (world: Edge) =>
  ({
    "jobGroups.create": ({ actor, body }) => create(world, actor, body),
    "jobGroups.get": ({ actor, params }) => get(world, actor, params.group),
  }) satisfies Runs;
