import type { Runs } from "@muster/api/serve.ts";
import * as Agent from "@muster/core/agent/poll.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const poll = (world: HostEdge) =>
  ({ "agent.poll": ({ host, body }) => Agent.poll(world, host, body) }) satisfies Runs;
