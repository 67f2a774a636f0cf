import type { Runs } from "@muster/api/serve.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { bootstrap, create } from "@muster/core/token/create.ts";
import { list } from "@muster/core/token/list.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { whoami } from "@muster/core/token/whoami.ts";

export const tokens = (world: Facing) =>
  ({
    "tokens.whoami": ({ actor }) => whoami(world, actor),
    "tokens.create": ({ actor, body }) => create(world, actor, body),
    "tokens.list": ({ actor, query }) => list(world, actor, query),
    "tokens.revoke": ({ actor, params, query }) => revoke(world, actor, params.token, query),
    "tokens.bootstrap": ({ identity, body }) => bootstrap(world, identity, body),
  }) satisfies Runs;
