/** What the worlds of users and hosts have in common: nothing in it can make a machine. */
import { offering } from "@muster/aws/ec2/offering.ts";
import { namesOf } from "@muster/aws/places.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { base, catalog, muster } from "./base.ts";

export const facing: Facing = {
  ...base,
  providers: new Map([["aws", offering(catalog, base.clock)]]),
  trust: { account: muster.account, hostRole: namesOf(muster.deployment).hostRole },
};
