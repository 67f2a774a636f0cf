/** The function `config`: users' routes to what is set up now and then. */
import { doorOf } from "@muster/api/door.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { config as routes } from "@muster/api/served/config.ts";
import { config } from "../handlers.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(doorOf(edge), routes, config(edge));
