import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { get, list } from "@muster/core/target/read.ts";
import { remove } from "@muster/core/target/remove.ts";
import { set } from "@muster/core/target/set.ts";

export const targets = (world: Facing) =>
  ({
    "targets.set": ({ actor, params, body }) => set(world, actor, params.name, body),
    "targets.list": ({ actor, query }) => list(world, actor, query),
    "targets.get": ({ actor, params }) => get(world, actor, params.name),
    "targets.remove": ({ actor, params }) => remove(world, actor, params.name),
  }) satisfies Runs;
