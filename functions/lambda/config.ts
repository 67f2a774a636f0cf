/** The function `config`: users' routes to what is set up now and then. */
import { dispatcher } from "@muster/api/serve.ts";
import { config as routes } from "@muster/api/served/config.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { config } from "../served/config.ts";
import { setup } from "../world/setup.ts";

export const handler = dispatcher(userDoorOf(setup), routes, config(setup));
