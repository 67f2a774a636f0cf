import type { Runs } from "@muster/api/serve.ts";
import { change, get } from "@muster/core/budget/change.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const budgets = (world: Edge) =>
  ({
    "budgets.get": ({ actor }) => get(world, actor),
    "budgets.set": ({ actor, body }) => change(world, actor, body),
  }) satisfies Runs;
