import type { Runs } from "@muster/api/serve.ts";
import * as Agent from "@muster/core/agent/file.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const file = (world: HostEdge) =>
  ({ "agent.file": ({ identity, params }) => Agent.file(world, identity, params.sha256) }) satisfies Runs;
