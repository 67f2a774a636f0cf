import type { Runs } from "@muster/api/serve.ts";
import * as Agent from "@muster/core/agent/report.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const report = (world: HostEdge) =>
  ({ "agent.report": ({ host, body }) => Agent.report(world, host, body) }) satisfies Runs;
