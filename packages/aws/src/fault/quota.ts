/** Quotas on vCPUs, in words. */
import { linkTo, quotaOf } from "../catalog/families.ts";
import type { Context } from "./types.ts";

const find = ({ instanceType, market }: Context) =>
  instanceType === undefined ? undefined : quotaOf(instanceType, market === "spot" ? "spot" : "on_demand");

/** As AWS's console has it. */
export const quotaName = (context: Context): string =>
  find(context)?.name ?? (context.market === "spot" ? "spot instance requests" : "running on-demand instances");

/** How to ask for more. */
export function moreOfQuota(context: Context): string {
  const quota = find(context);
  const region = context.region ?? "us-east-1";
  const link =
    quota === undefined
      ? `https://${region}.console.aws.amazon.com/servicequotas/home/services/ec2/quotas`
      : linkTo(quota, region);
  return `ask for more vCPUs: ${link}`;
}
