import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { list } from "@muster/core/secret/list.ts";
import { remove } from "@muster/core/secret/remove.ts";
import { set } from "@muster/core/secret/set.ts";

export const secrets = (world: Edge) =>
  ({
    "secrets.set": ({ actor, params, body }) => set(world, actor, params.name, body),
    "secrets.list": ({ actor, query }) => list(world, actor, query),
    "secrets.remove": ({ actor, params }) => remove(world, actor, params.name),
  }) satisfies Runs;
