import type { Runs } from "@muster/api/serve.ts";
import * as Host from "@muster/core/host/enroll.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";

export const enroll = (world: HostEdge) => ({ "agent.enroll": ({ body }) => Host.enroll(world, body) }) satisfies Runs;
