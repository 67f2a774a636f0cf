/** All handlers of the route table, for whoever serves the table whole. A function of its own has only those in served/. */
import type { Runs } from "@muster/api/serve.ts";
import type { Edge, HostEdge, SignInEdge } from "@muster/core/ports/world.ts";
import { admin } from "./served/admin.ts";
import { agent } from "./served/agent.ts";
import { api } from "./served/api.ts";
import { config } from "./served/config.ts";
import { hooks } from "./served/hooks.ts";
import { signin } from "./served/signin.ts";

export const handlers = (world: Edge & HostEdge & SignInEdge): Required<Runs> => ({
  ...api(world),
  ...config(world),
  ...admin(world),
  ...signin(world),
  ...hooks(world),
  ...agent(world),
});
