/** The function `agent`: hosts' routes. */
import { dispatcher } from "@muster/api/serve.ts";
import { agent } from "../handlers.ts";
import { doorOf } from "../world/door.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(doorOf(edge), agent(edge));
