import type { Runs } from "@muster/api/serve.ts";
import * as Host from "@muster/core/host/enrol.ts";
import type { Edge } from "@muster/core/ports/world.ts";

export const enrol = (world: Edge) => ({ "agent.enrol": ({ body }) => Host.enrol(world, body) }) satisfies Runs;
