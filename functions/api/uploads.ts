import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { create } from "@muster/core/upload/create.ts";

export const uploads = (world: Edge) =>
  ({ "uploads.create": ({ actor, body }) => create(world, actor, body) }) satisfies Runs;
