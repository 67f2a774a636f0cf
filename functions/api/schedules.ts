import type { Runs } from "@muster/api/serve.ts";
import type { Edge } from "@muster/core/ports/world.ts";
import { pause, resume } from "@muster/core/schedule/pause.ts";
import { events, get, list } from "@muster/core/schedule/read.ts";
import { remove } from "@muster/core/schedule/remove.ts";
import { run } from "@muster/core/schedule/run.ts";
import { set } from "@muster/core/schedule/set.ts";

export const schedules = (world: Edge) =>
  ({
    "schedules.set": ({ actor, params, body }) => set(world, actor, params.name, body),
    "schedules.list": ({ actor, query }) => list(world, actor, query),
    "schedules.get": ({ actor, params }) => get(world, actor, params.name),
    "schedules.events": ({ actor, params, query }) => events(world, actor, params.name, query),
    "schedules.pause": ({ actor, params }) => pause(world, actor, params.name),
    "schedules.resume": ({ actor, params }) => resume(world, actor, params.name),
    "schedules.run": ({ actor, params }) => run(world, actor, params.name),
    "schedules.remove": ({ actor, params }) => remove(world, actor, params.name),
  }) satisfies Runs;
