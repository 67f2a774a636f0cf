/** The Issuers port where nobody signs in. */
import { MusterError } from "@muster/core/error.ts";
import type { Issuers } from "@muster/core/ports/issuers.ts";

/** Vouches for nobody. */
export const nobody: Issuers = {
  claimed: () => undefined,
  verify: async () => {
    throw new MusterError("unauthenticated", "nobody is vouched for here");
  },
};
