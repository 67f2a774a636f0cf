/** How requests come in, of users and of hosts: what serving needs of a world. */
import { authenticate } from "@muster/core/host/authenticate.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import type { Door } from "./serve.ts";
import { counted, userDoorOf } from "./user-door.ts";

export const doorOf = (world: Facing): Door => ({
  ...userDoorOf(world),
  authenticateHost: counted(world, authorization => authenticate(world, authorization)),
});
