import type { Runs } from "@muster/api/serve.ts";
import type { Outbound } from "@muster/core/ports/outbound.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { create } from "@muster/core/webhook/create.ts";
import { disable, enable } from "@muster/core/webhook/enable.ts";
import { deliveries, delivery, events, get, list } from "@muster/core/webhook/read.ts";
import { remove } from "@muster/core/webhook/remove.ts";
import { replay, test } from "@muster/core/webhook/replay.ts";
import { rotate } from "@muster/core/webhook/rotate.ts";
import { set } from "@muster/core/webhook/set.ts";

export const webhooks = (world: Facing & { readonly outbound?: Pick<Outbound, "check"> }) =>
  ({
    "webhooks.create": ({ actor, body }) => create(world, actor, body),
    "webhooks.list": ({ actor, query }) => list(world, actor, query),
    "webhooks.get": ({ actor, params }) => get(world, actor, params.webhook),
    "webhooks.set": ({ actor, params, body }) => set(world, actor, params.webhook, body),
    "webhooks.remove": ({ actor, params }) => remove(world, actor, params.webhook),
    "webhooks.enable": ({ actor, params }) => enable(world, actor, params.webhook),
    "webhooks.disable": ({ actor, params }) => disable(world, actor, params.webhook),
    "webhooks.rotate": ({ actor, params, query }) => rotate(world, actor, params.webhook, query),
    "webhooks.test": ({ actor, params }) => test(world, actor, params.webhook),
    "webhooks.events": ({ actor, params, query }) => events(world, actor, params.webhook, query),
    "webhooks.deliveries": ({ actor, params, query }) => deliveries(world, actor, params.webhook, query),
    "webhooks.delivery": ({ actor, params }) => delivery(world, actor, params.webhook, params.delivery),
    "webhooks.replay": ({ actor, params }) => replay(world, actor, params.webhook, params.delivery),
  }) satisfies Runs;
