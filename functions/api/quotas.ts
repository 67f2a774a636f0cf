import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { change, get } from "@muster/core/quota/change.ts";

export const quotas = (world: Facing) =>
  ({
    "quotas.get": ({ actor }) => get(world, actor),
    "quotas.set": ({ actor, body }) => change(world, actor, body),
  }) satisfies Runs;
