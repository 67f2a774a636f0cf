/**
 * AWS's error codes, and what each means to whoever reads it: one table.
 *
 * Codes are from EC2's list of error codes (docs.aws.amazon.com, AWSEC2/latest/APIReference/errors-overview.html), from
 * the lists of S3, DynamoDB and Step Functions, and from what the SDKs take for throttling. A `*` stands for any end.
 */
import type { ErrorCode } from "@muster/core/error.ts";
import { moreOfQuota, quotaName } from "./quota.ts";
import type { Context, Kind } from "./types.ts";

/** What a row's words may speak of. */
export interface About extends Context {
  readonly operation: string;
  readonly service: string;
  /** AWS's own words, shortened. */
  readonly said: string;
}

type Words = string | ((about: About) => string);

export interface Meaning {
  readonly kind: Kind;
  /** `denied`: a launch that failed, or else something that nobody can do now. `bad`: the same, but our own mistake. */
  readonly error: ErrorCode | "denied" | "bad";
  readonly says: Words;
  readonly hint: Words;
}

const what = ({ instanceType, market }: About): string =>
  `${market === "spot" ? "spot " : ""}${instanceType ?? "machines of this type"}`;
const where = ({ zone, region }: About): string => zone ?? region ?? "this zone";
const inRegion = ({ region }: About): string => (region === undefined ? "" : ` --region ${region}`);

const later = (says: Words): Meaning => ({ kind: "throttled", error: "busy", says, hint: "try again in a moment" });
const THROTTLE = later(({ operation }) => `AWS takes no more calls of ${operation} for now`);

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

const denied = (says: Words, hint: Words): Meaning => ({ kind: "refused", error: "denied", says, hint });
const FORBIDDEN = denied(({ operation }) => `AWS does not allow ${operation} to this deployment`, permissionHint);
const CREDENTIALS = denied(
  "AWS does not accept the credentials of this deployment",
  "check the credentials, or deploy again so that the functions get their roles",
);
const EXPIRED: Meaning = {
  kind: "refused",
  error: "unavailable",
  says: "there are no credentials for AWS, or they have expired",
  hint: "sign in to AWS again; a function gets new ones by itself",
};
const CLOCK: Meaning = {
  kind: "refused",
  error: "unavailable",
  says: "AWS finds the time of the request too far from its own",
  hint: "check this machine's clock",
};

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
const REGION = denied(
  ({ region }) => `the region ${region ?? "that was asked for"} is not enabled for this account`,
  "enable it in the account settings of AWS, or choose another region",
);
const INCOMPLETE: Meaning = {
  kind: "refused",
  error: "unavailable",
  says: ({ operation }) => `what ${operation} needs is not there: this deployment is not whole`,
  hint: "deploy again",
};
const open = (says: Words): Meaning => ({ kind: "unknown", error: "unavailable", says, hint: "try again in a moment" });
const BROKEN = open(({ operation }) => `AWS failed to answer ${operation}`);

/** AWS says itself which permission it missed, unless it is EC2. */
function permissionHint({ said, service, operation }: About): string {
  const [, named] = /not authorized to perform:? (\w+:\w+)/.exec(said) ?? [];
  const launch = operation === "RunInstances" ? ", ec2:CreateTags, and iam:PassRole for the role of hosts" : "";
  const permission = named ?? `${service || "ec2"}:${operation}${launch}`;
  return `the role of the deployment's function needs the permission ${permission}; a policy of the organisation may forbid it too`;
}

const each = (codes: readonly string[], meaning: Meaning) => codes.map(code => [code, meaning] as const);

const TABLE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...each(["Throttling*", "ThrottledException", "RequestThrottled*", "TooManyRequestsException", "SlowDown"], THROTTLE),
  ...each(["RequestLimitExceeded", "EC2ThrottledException", "BandwidthLimitExceeded"], THROTTLE),
  ...each(["ProvisionedThroughputExceededException", "PriorRequestNotComplete"], THROTTLE),
  ...each(["SnapshotCreationPerVolumeRateExceeded", "ConcurrentSnapshotLimitExceeded"], THROTTLE),
  ["TransactionConflictException", later("another transaction has this item in hand")],
  ["RequestTimeout", later("AWS did not receive the whole request in time")],
  ["InvalidGroup.NotFound", later("AWS does not know the new security group yet")],
  ...each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"], later("AWS cannot be reached")),

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

  ...each(["UnauthorizedOperation", "AccessDenied*", "Client.UnauthorizedOperation"], FORBIDDEN),
  ...each(["ExpiredToken*", "TokenRefreshRequired", "CredentialsProviderError"], EXPIRED),
  ...each(["RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"], CLOCK),
  ...each(["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"], CREDENTIALS),
  ...each(["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"], CREDENTIALS),
  ...each(["MissingAuthenticationToken*", "NotAuthorized"], CREDENTIALS),
  ["AuthFailure", CREDENTIALS],
  ["OptInRequired", REGION],
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

  ...each(["NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist", "QueueDoesNotExist"], INCOMPLETE),
  ["TransactionInProgressException", open("the same transaction is still at work")],
  ...each(["ServiceUnavailable*", "Unavailable", "InternalError", "InternalFailure", "InternalServerError*"], BROKEN),
]);

const ENDINGS = [...TABLE].filter(([code]) => code.endsWith("*"));

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
  return worded ?? TABLE.get(code) ?? ENDINGS.find(([ending]) => code.startsWith(ending.slice(0, -1)))?.[1];
}
