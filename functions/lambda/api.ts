/** The function `api`: users' routes. */

import { limiter } from "@muster/api/limits.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { api as routes } from "@muster/api/served/api.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { api } from "../served/api.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(userDoorOf(edge, limiter(edge.clock)), routes, api(edge));
