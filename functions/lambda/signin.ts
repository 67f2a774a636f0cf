/** The function `signin`: for those who have no token yet. */
import { dispatcher } from "@muster/api/serve.ts";
import { signin as routes } from "@muster/api/served/signin.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { signin } from "../served/signin.ts";
import { signin as world } from "../world/signin.ts";

export const handler = dispatcher(userDoorOf(world), routes, signin(world));
