import type { Runs } from "@muster/api/serve.ts";
import { give } from "@muster/core/checkpoint/read.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const checkpoint = (world: HostEdge) =>
  ({ "agent.checkpoint": ({ host, body }) => give(world, host, body) }) satisfies Runs;
