import type { Runs } from "@muster/api/serve.ts";
import { get, list } from "@muster/core/deadletter/read.ts";
import { drop, replay } from "@muster/core/deadletter/replay.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const deadLetters = (world: Facing) =>
  ({
    "deadLetters.list": ({ actor, query }) => list(world, actor, query),
    "deadLetters.get": ({ actor, params }) => get(world, actor, params.letter),
    "deadLetters.replay": ({ actor, params }) => replay(world, actor, params.letter),
    "deadLetters.drop": ({ actor, params }) => drop(world, actor, params.letter),
  }) satisfies Runs;
