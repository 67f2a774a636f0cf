import type { Runs } from "@muster/api/serve.ts";
import { change, get } from "@muster/core/budget/change.ts";
import { set } from "@muster/core/budget/freeze.ts";
import { costs } from "@muster/core/cost/read.ts";
import { eventsOf } from "@muster/core/event/read.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const budgets = (world: Facing) =>
  ({
    "budgets.get": ({ actor, query }) => get(world, actor, query.user),
    "budgets.set": ({ actor, body }) => change(world, actor, body),
    "budgets.events": ({ actor, query }) => eventsOf(world, Keys.budget(actor.workspace), query),
    "costs.get": ({ actor, query }) => costs(world, actor, query),
    "freeze.set": ({ actor, body }) => set(world, actor, body),
  }) satisfies Runs;
