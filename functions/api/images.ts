import type { Runs } from "@muster/api/serve.ts";
import { events, get, list } from "@muster/core/image/read.ts";
import { remove } from "@muster/core/image/remove.ts";
import { save } from "@muster/core/image/save.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const images = (world: Facing) =>
  ({
    "images.save": ({ actor, body }) => save(world, actor, body),
    "images.list": ({ actor, query }) => list(world, actor, query),
    "images.get": ({ actor, params }) => get(world, actor, params.image),
    "images.events": ({ actor, params, query }) => events(world, actor, params.image, query),
    "images.remove": ({ actor, params }) => remove(world, actor, params.image),
  }) satisfies Runs;
