/** Why a part of the catalog could not be made, and what to do about it. */
import * as z from "zod";
import { Fault } from "../fault.ts";
import type { Part, Problem } from "./catalog.ts";

/** What the part is, in a user's words, and the permissions that it takes. */
const PARTS: Readonly<Record<Part, { readonly what: string; readonly actions: string }>> = {
  types: { what: "machine types", actions: "ec2:DescribeInstanceTypes" },
  zones: { what: "the zones of machine types", actions: "ec2:DescribeInstanceTypeOfferings" },
  prices: { what: "prices on demand", actions: "pricing:GetProducts" },
  spot: { what: "spot prices", actions: "ec2:DescribeSpotPriceHistory" },
  quotas: { what: "quotas", actions: "servicequotas:ListServiceQuotas, servicequotas:ListAWSDefaultServiceQuotas" },
  network: {
    what: "the network",
    actions: "ec2:DescribeVpcs, ec2:DescribeSubnets, ec2:DescribeRouteTables, ec2:DescribeSecurityGroups",
  },
  images: { what: "machine images", actions: "ssm:GetParameters, ec2:DescribeImages" },
};

/** Codes by which AWS says that the caller may not. */
const DENIED = /AccessDenied|UnauthorizedOperation|NotAuthorized|AuthFailure/;
const EXPIRED = /Expired|InvalidClientTokenId|UnrecognizedClient/;
const DISABLED = /OptInRequired/;

export function problemOf(part: Part, error: unknown): Problem {
  const { what, actions } = PARTS[part];
  if (!(error instanceof Fault)) return { part, message: `${what} could not be read: ${textOf(error)}` };
  const message = `${what} could not be read: ${error.message}`;
  const fix = fixOf(error, actions);
  return fix === undefined ? { part, message } : { part, message, fix };
}

function fixOf(fault: Fault, actions: string): string | undefined {
  if (DENIED.test(fault.code)) return `allow ${actions} to the role of the function cron`;
  if (EXPIRED.test(fault.code)) return "renew the credentials";
  if (DISABLED.test(fault.code)) return "enable the region for the account";
  return fault.kind === "refused" ? undefined : "it is asked again within the hour";
}

function textOf(error: unknown): string {
  if (error instanceof z.ZodError) return `AWS answered in another form than expected (${z.prettifyError(error)})`;
  return error instanceof Error ? error.message : String(error);
}
