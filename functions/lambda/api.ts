/** The function `api`: users' routes. */
import { doorOf } from "@muster/api/door.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { api as routes } from "@muster/api/served/api.ts";
import { api } from "../handlers.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(doorOf(edge), routes, api(edge));
