/** The function `admin`: users' routes to what only few of them look after. */

import { limiter } from "@muster/api/limits.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { admin as routes } from "@muster/api/served/admin.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { checks } from "@muster/aws/catalog/checks.ts";
import { admin } from "../served/admin.ts";
import { facing } from "../world/facing.ts";

const world = facing(checks);

export const handler = dispatcher(userDoorOf(world, limiter(world.clock)), routes, admin(world));
