/** The function `hooks`: what others send. It sees no offers of machines, which it would load for nothing. */
import { dispatcher } from "@muster/api/serve.ts";
import { hooks as routes } from "@muster/api/served/hooks.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { hooks } from "../served/hooks.ts";
import { base } from "../world/base.ts";

const world = { ...base, providers: new Map() };

export const handler = dispatcher(userDoorOf(world), routes, hooks(world));
