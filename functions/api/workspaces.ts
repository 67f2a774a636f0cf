import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { create } from "@muster/core/workspace/create.ts";
import { list } from "@muster/core/workspace/list.ts";
import { get } from "@muster/core/workspace/workspace.ts";

export const workspaces = (world: Facing) =>
  ({
    "workspaces.create": ({ actor, body }) => create(world, actor, body),
    "workspaces.list": ({ actor, query }) => list(world, actor, query),
    "workspaces.get": ({ actor, params }) => get(world, actor, params.name),
  }) satisfies Runs;
