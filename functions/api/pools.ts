import type { Runs } from "@muster/api/serve.ts";
import { events, get, list } from "@muster/core/pool/read.ts";
import { remove } from "@muster/core/pool/remove.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { set } from "@muster/core/pool/set.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const pools = (world: Edge) =>
  ({
    "pools.set": ({ actor, params, body }) => set(world, actor, params.name, body),
    "pools.list": ({ actor, query }) => list(world, actor, query),
    "pools.get": ({ actor, params }) => get(world, actor, params.name),
    "pools.events": ({ actor, params, query }) => events(world, actor, params.name, query),
    "pools.resize": ({ actor, params, body }) => resize(world, actor, params.name, body),
    "pools.remove": ({ actor, params }) => remove(world, actor, params.name),
  }) satisfies Runs;
