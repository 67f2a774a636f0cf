import type { Runs } from "@muster/api/serve.ts";
import * as Host from "@muster/core/host/enroll.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const register = (world: HostEdge) =>
  ({ "agent.register": ({ identity, body }) => Host.register(world, identity, body) }) satisfies Runs;
