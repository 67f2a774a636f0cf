/** The world of the function that people and programs sign in by: it asks their issuers, and sees nothing of machines. */
import { namesOf } from "@muster/aws/places.ts";
import type { SignInEdge } from "@muster/core/ports/world.ts";
import { createIssuers } from "@muster/node/issuers.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { base, muster } from "./base.ts";

export const signin: SignInEdge = {
  ...base,
  providers: new Map(),
  trust: { account: muster.account, hostRole: namesOf(muster.deployment).hostRole },
  issuers: createIssuers({ outbound: createOutbound(), clock: base.clock }),
};
