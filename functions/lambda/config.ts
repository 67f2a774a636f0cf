/** The function `config`: users' routes to what is set up now and then. */

import { limiter } from "@muster/api/limits.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { config as routes } from "@muster/api/served/config.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { config } from "../served/config.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(userDoorOf(edge, limiter(edge.clock)), routes, config(edge));
