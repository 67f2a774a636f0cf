import type { Runs } from "@muster/api/serve.ts";
import { list } from "@muster/core/audit/list.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const audit = (world: Facing) =>
  ({ "audit.list": ({ actor, query }) => list(world, actor, query) }) satisfies Runs;
