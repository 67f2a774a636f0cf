/** The function `agent`: hosts' routes. */
import { doorOf } from "@muster/api/door.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { agent } from "../handlers.ts";
import { edge } from "../world/edge.ts";

export const handler = dispatcher(doorOf(edge), agent(edge));
