import type { Runs } from "@muster/api/serve.ts";
import { get, list } from "@muster/core/issuer/read.ts";
import { remove } from "@muster/core/issuer/remove.ts";
import { set } from "@muster/core/issuer/set.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const issuers = (world: Facing) =>
  ({
    "issuers.set": ({ actor, params, body }) => set(world, actor, params.name, body),
    "issuers.list": ({ actor, query }) => list(world, actor, query),
    "issuers.get": ({ actor, params }) => get(world, actor, params.name),
    "issuers.remove": ({ actor, params }) => remove(world, actor, params.name),
  }) satisfies Runs;
