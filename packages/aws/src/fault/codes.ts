/**
 * AWS's error codes, and what each means to whoever reads it: those of all services but EC2's own, which stand in ec2.ts, for
 * only a few functions call EC2.
 *
 * Codes are from the lists of S3, DynamoDB and Step Functions, and from what the SDKs take for throttling. A `*` stands for
 * any end.
 */
import type { ErrorCode } from "@muster/core/error.ts";
import type { Context, Kind } from "./types.ts";

/** What a row's words may speak of. */
export interface About extends Context {
  readonly operation: string;
  readonly service: string;
  /** AWS's own words, shortened. */
  readonly said: string;
}

export type Words = string | ((about: About) => string);

export interface Meaning {
  readonly kind: Kind;
  /** `denied`: a launch that failed, or else something that nobody can do now. `bad`: the same, but our own mistake. */
  readonly error: ErrorCode | "denied" | "bad";
  readonly says: Words;
  readonly hint: Words;
}

export const later = (says: Words): Meaning => ({
  kind: "throttled",
  error: "busy",
  says,
  hint: "try again in a moment",
});
export const THROTTLE = later(({ operation }) => `AWS takes no more calls of ${operation} for now`);

export const denied = (says: Words, hint: Words): Meaning => ({ kind: "refused", error: "denied", says, hint });
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

export const each = (codes: readonly string[], meaning: Meaning) => codes.map(code => [code, meaning] as const);

const TABLE: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...each(["Throttling*", "ThrottledException", "RequestThrottled*", "TooManyRequestsException", "SlowDown"], THROTTLE),
  ...each(["RequestLimitExceeded", "EC2ThrottledException", "BandwidthLimitExceeded"], THROTTLE),
  ...each(["ProvisionedThroughputExceededException", "PriorRequestNotComplete"], THROTTLE),
  ["TransactionConflictException", later("another transaction has this item in hand")],
  ["RequestTimeout", later("AWS did not receive the whole request in time")],
  ...each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"], later("AWS cannot be reached")),

  ...each(["UnauthorizedOperation", "AccessDenied*", "Client.UnauthorizedOperation"], FORBIDDEN),
  ...each(["ExpiredToken*", "TokenRefreshRequired", "CredentialsProviderError"], EXPIRED),
  ...each(["RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"], CLOCK),
  ...each(["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"], CREDENTIALS),
  ...each(["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"], CREDENTIALS),
  ...each(["MissingAuthenticationToken*", "NotAuthorized"], CREDENTIALS),
  ["AuthFailure", CREDENTIALS],
  ["OptInRequired", REGION],
  ...each(["NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist", "QueueDoesNotExist"], INCOMPLETE),
  ["TransactionInProgressException", open("the same transaction is still at work")],
  ...each(["ServiceUnavailable*", "Unavailable", "InternalError", "InternalFailure", "InternalServerError*"], BROKEN),
]);

/** The row of a code. */
export const among = (table: ReadonlyMap<string, Meaning>, code: string): Meaning | undefined =>
  table.get(code) ?? [...table].find(([row]) => row.endsWith("*") && code.startsWith(row.slice(0, -1)))?.[1];

/** @param said AWS's own words, which a few codes need. */
export type MeaningOf = (code: string, said?: string) => Meaning | undefined;

export const meaningOf: MeaningOf = code => among(TABLE, code);
