import type { Runs } from "@muster/api/serve.ts";
import { list } from "@muster/core/output/list.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const artifacts = (world: Edge) =>
  ({ "artifacts.list": ({ actor, params, query }) => list(world, actor, params.job, query) }) satisfies Runs;
