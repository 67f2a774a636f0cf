/** How requests come in: what serving needs of a world. */
import { findClaim, Replay } from "@muster/core/commit.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { verify } from "@muster/core/token/verify.ts";
import type { Door } from "./serve.ts";

export const doorOf = (world: Facing): Door => ({
  authenticate: authorization => verify(world, authorization),
  authenticateHost: authorization => authenticate(world, authorization),
  findClaim: actor => findClaim(world, actor),
  isReplay: error => (error instanceof Replay ? error : undefined),
  digest: world.digest,
  log: world.log,
});
