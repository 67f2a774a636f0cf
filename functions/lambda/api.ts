/** The function `api`: users' routes. */
import { dispatcher } from "@muster/api/serve.ts";
import { api } from "../handlers.ts";
import { doorOf } from "../world/door.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(doorOf(edge), api(edge));
