import type { Runs } from "@muster/api/serve.ts";
import * as Agent from "@muster/core/agent/poll.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const poll = (world: Edge) =>
  ({ "agent.poll": ({ host, body }) => Agent.poll(world, host, body) }) satisfies Runs;
