import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { list } from "@muster/core/provider/list.ts";
import { VERSION } from "@muster/core/version.ts";

export const providers = (world: Edge) =>
  ({
    "providers.list": async () => ({ items: list(world) }),
    "health.get": async () => ({ ok: true as const, version: VERSION }),
  }) satisfies Runs;
