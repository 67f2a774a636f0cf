import type { Runs } from "@muster/api/serve.ts";
import { approve } from "@muster/core/approval/approve.ts";
import { create } from "@muster/core/hook/create.ts";
import { deliveries, delivery, get, list } from "@muster/core/hook/read.ts";
import { remove } from "@muster/core/hook/remove.ts";
import { replay } from "@muster/core/hook/replay.ts";
import { rotate } from "@muster/core/hook/rotate.ts";
import { set } from "@muster/core/hook/set.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const hooks = (world: Facing) =>
  ({
    "hooks.create": ({ actor, body }) => create(world, actor, body),
    "hooks.list": ({ actor, query }) => list(world, actor, query),
    "hooks.get": ({ actor, params }) => get(world, actor, params.hook),
    "hooks.set": ({ actor, params, body }) => set(world, actor, params.hook, body),
    "hooks.rotate": ({ actor, params, body }) => rotate(world, actor, params.hook, body),
    "hooks.remove": ({ actor, params }) => remove(world, actor, params.hook),
    "hooks.deliveries": ({ actor, params, query }) => deliveries(world, actor, params.hook, query),
    "hooks.delivery": ({ actor, params }) => delivery(world, actor, params.hook, params.delivery),
    "hooks.replay": ({ actor, params }) => replay(world, actor, params.hook, params.delivery),
    "hooks.approve": ({ actor, params }) => approve(world, actor, params.hook, params.delivery),
  }) satisfies Runs;
