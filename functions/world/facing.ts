/** What the worlds of users and hosts have in common: nothing in it can make a machine. */
import { type Checks, offering } from "@muster/aws/ec2/offering.ts";
import { namesOf } from "@muster/aws/places.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { base, catalog, muster } from "./base.ts";

/** @param checks of the account's readiness, where somebody may ask for them */
export const facing = (checks?: Checks): Facing => ({
  ...base,
  providers: new Map([["aws", offering(catalog, base.clock, checks)]]),
  trust: { account: muster.account, hostRole: namesOf(muster.deployment).hostRole },
});
