/** The function `admin`: users' routes to what only few of them look after. */
import { dispatcher } from "@muster/api/serve.ts";
import { admin as routes } from "@muster/api/served/admin.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { admin } from "../served/admin.ts";
import { facing } from "../world/facing.ts";

const world = facing();

export const handler = dispatcher(userDoorOf(world), routes, admin(world));
