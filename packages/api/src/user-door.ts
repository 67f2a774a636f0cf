/** How requests of users come in: what serving needs of a world where no host calls. */
import { findClaim, Replay } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { verify } from "@muster/core/token/verify.ts";
import type { Door } from "./serve.ts";

export const userDoorOf = (world: Facing): Door => ({
  authenticate: authorization => verify(world, authorization),
  authenticateHost: async () => {
    throw new MusterError("unauthenticated", "no host is known here");
  },
  findClaim: actor => findClaim(world, actor),
  isReplay: error => (error instanceof Replay ? error : undefined),
  digest: world.digest,
  log: world.log,
});
