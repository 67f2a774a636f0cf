/** Signing in to the workspace that the tests' issuers are of, where a request names none. */
import type { Via } from "@muster/core/actor/actor.ts";
import { exchange as exchangeAnywhere } from "@muster/core/login/exchange.ts";
import type { Exchange } from "@muster/core/login/login.ts";

export const exchange = (
  world: Parameters<typeof exchangeAnywhere>[0],
  request: Exchange,
  via?: Via,
): ReturnType<typeof exchangeAnywhere> => exchangeAnywhere(world, { workspace: "acme", ...request }, via);
