import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { bootstrap, create } from "@muster/core/token/create.ts";
import { list } from "@muster/core/token/list.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { VERSION } from "@muster/core/version.ts";

export const tokens = (world: Facing) =>
  ({
    "tokens.whoami": async ({ actor: { workspace, id, role } }) => ({ workspace, id, role, version: VERSION }),
    "tokens.create": ({ actor, body }) => create(world, actor, body),
    "tokens.list": ({ actor, query }) => list(world, actor, query),
    "tokens.revoke": ({ actor, params }) => revoke(world, actor, params.token),
    "tokens.bootstrap": ({ identity, body }) => bootstrap(world, identity, body),
  }) satisfies Runs;
