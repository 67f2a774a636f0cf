/**
 * EC2's own error codes, and what each means to whoever reads it; and failures of EC2 in the system's own words.
 *
 * Codes are from EC2's list of error codes (docs.aws.amazon.com, AWSEC2/latest/APIReference/errors-overview.html).
 */
import type { MusterError } from "@muster/core/error.ts";
import {
  type About,
  among,
  denied,
  each,
  later,
  type Meaning,
  THROTTLE,
  meaningOf as usual,
  type Words,
} from "./codes.ts";
import { type Fault, kindOf as usualKind } from "./fault.ts";
import { toMusterError as told } from "./muster.ts";
import { moreOfQuota, quotaName } from "./quota.ts";
import type { Context, Kind, Problem } from "./types.ts";

const what = ({ instanceType, market }: About): string =>
  `${market === "spot" ? "spot " : ""}${instanceType ?? "machines of this type"}`;
const where = ({ zone, region }: About): string => zone ?? region ?? "this zone";
const inRegion = ({ region }: About): string => (region === undefined ? "" : ` --region ${region}`);

const capacity = (says: Words, hint: Words = OTHERS): Meaning => ({
  kind: "refused",
  error: "no_capacity",
  says,
  hint,
});
const OTHERS = "allow more zones, regions, machine types or the other market, or try again later";
const NONE_LEFT = capacity(about => `AWS has no ${what(about)} left in ${where(about)}`);
const RESERVED = capacity(about => `the capacity reservation for ${what(about)} in ${where(about)} is used up`);
const NOT_OFFERED = capacity(
  about => `${what(about)} is not offered in ${where(about)} as it was asked for: ${about.said}`,
  "allow other zones, regions or machine types",
);

const quota = (says: Words, hint: Words): Meaning => ({ kind: "refused", error: "quota_exceeded", says, hint });
const VCPUS = quota(
  about => `the account's quota '${quotaName(about)}' leaves no room for ${what(about)}`,
  moreOfQuota,
);
const otherQuota = (name: string, service: string): Meaning =>
  quota(
    `the account has reached its quota of ${name}`,
    ({ region }) =>
      `ask for more: https://${region ?? "us-east-1"}.console.aws.amazon.com/servicequotas/home/services/${service}/quotas`,
  );

const bad = (says: Words, hint: Words): Meaning => ({ kind: "refused", error: "bad", says, hint });
const IMAGE = bad(
  ({ image, region }) =>
    `the image ${image ?? "that was asked for"} does not exist in ${region ?? "this region"}, or is private`,
  about => `images belong to one region: look it up with \`aws ec2 describe-images --image-ids …${inRegion(about)}\``,
);
const NO_VPC = bad(
  ({ region }) => `${region ?? "this region"} has no default VPC to start machines in`,
  about => `make one with \`aws ec2 create-default-vpc${inRegion(about)}\`, or deploy with a network of your own`,
);
const SUBNET = bad(
  "the subnet that this deployment is to start machines in does not exist",
  "deploy again with a network that exists",
);
const TABLE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...each(["SnapshotCreationPerVolumeRateExceeded", "ConcurrentSnapshotLimitExceeded"], THROTTLE),
  ["InvalidGroup.NotFound", later("AWS does not know the new security group yet")],
  ...each(["InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity"], NONE_LEFT),
  ["InsufficientCapacityOnOutpost", NONE_LEFT],
  ...each(["InsufficientReservedInstanceCapacity", "ReservationCapacityExceeded"], RESERVED),
  ...each(["Unsupported", "InvalidInstanceType*", "UnsupportedInstanceType*"], NOT_OFFERED),
  [
    "IdempotentInstanceTerminated",
    capacity(about => `${what(about)} in ${where(about)} ended before their cluster was ready`),
  ],
  ["SpotMaxPriceTooLow", capacity(about => `${what(about)} costs more than the highest price that was allowed`)],
  [
    "InsufficientFreeAddressesInSubnet",
    capacity(about => `no address is left in the subnet of ${where(about)}`, "use larger subnets, or more of them"),
  ],
  ...each(["VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded"], VCPUS),
  ...each(["VolumeLimitExceeded", "MaxIOPSLimitExceeded"], otherQuota("EBS storage", "ebs")),
  ["SnapshotLimitExceeded", otherQuota("EBS snapshots", "ebs")],
  ["NetworkInterfaceLimitExceeded", otherQuota("network interfaces", "vpc")],
  ["SecurityGroupLimitExceeded", otherQuota("security groups", "vpc")],
  ["SecurityGroupsPerInstanceLimitExceeded", otherQuota("security groups per network interface", "vpc")],
  [
    "PendingVerification",
    denied("AWS is still checking this account", "wait for AWS's mail, at most some hours, and try again"),
  ],
  ["Blocked", denied("AWS has blocked this account", "ask AWS support")],
  ...each(["InvalidAMIID*", "InvalidImageID*"], IMAGE),
  ...each(["VPCIdNotSpecified", "DefaultVpcDoesNotExist", "VPCResourceNotSpecified"], NO_VPC),
  ...each(["InvalidSubnetID*", "InvalidVpcID*", "InvalidSubnet"], SUBNET),
  ["InvalidKeyPair*", bad("the key pair does not exist", "Muster needs none: name no key pair")],
  [
    "IdempotentParameterMismatch",
    bad(
      ({ operation }) => `${operation} was sent before under the same token, with other parameters`,
      "the deployment was changed meanwhile: try again from the start",
    ),
  ],
  ["UnsupportedOperation", NOT_OFFERED],
  ["InvalidParameterCombination", NOT_OFFERED],
  [
    "InvalidParameterValue",
    bad(({ said }) => `AWS refuses a value of the request: ${said}`, "change what was asked for, or the deployment"),
  ],
]);

/** What AWS's words make of a code that says too little by itself. */
const BY_WORDS: readonly { readonly code: string; readonly words: RegExp; readonly meaning: Meaning }[] = [
  { code: "AuthFailure", words: /not authorized for images/i, meaning: IMAGE },
  {
    code: "InvalidParameterValue",
    words: /architecture/i,
    meaning: bad(({ said }) => `the image does not fit the machine type: ${said}`, "use an image of its architecture"),
  },
  { code: "InvalidParameterValue", words: /instance ?type/i, meaning: NOT_OFFERED },
  {
    code: "UnsupportedOperation",
    words: /can(?:'t|not) (?:be )?(?:stop|hibernat)/i,
    meaning: { kind: "refused", error: "unsupported", says: ({ said }) => said, hint: "end the machines instead" },
  },
];

/** @param said AWS's own words, which a few codes need. */
export function meaningOf(code: string, said = ""): Meaning | undefined {
  const worded = BY_WORDS.find(row => row.code === code && row.words.test(said))?.meaning;
  return worded ?? among(TABLE, code) ?? usual(code);
}

/** As `kindOf` of all services, with EC2's own codes: some of its refusals it answers with 500. */
export const kindOf = (problem: Pick<Problem, "code" | "body">, status: number): Kind =>
  usualKind(problem, status, meaningOf);

/** As `toMusterError` of all services, with EC2's own codes. */
export const toMusterError = (fault: Fault, context: Context = {}): MusterError => told(fault, context, meaningOf);
