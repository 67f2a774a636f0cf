/** The function `agent`: hosts' routes. */
import { doorOf } from "@muster/api/door.ts";
import { hosts } from "@muster/api/routes/hosts.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { agent } from "../served/agent.ts";
import { agent as world } from "../world/agent.ts";

export const handler = dispatcher(doorOf(world), hosts, agent(world));
