/**
 * Ran against: the table of codes, and EC2's own SDK, which met the error bodies that AWS documents on a server of the
 * test.
 */
import { EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { kindOf, toMusterError } from "@muster/aws/fault/ec2.ts";
import { faultOf } from "@muster/aws/fault/sdk.ts";
import { type Context, Fault } from "@muster/aws/fault.ts";
import { type ErrorCode, isRetryable, MusterError } from "@muster/core/error.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answering, type CallServer, reset, say, silence, startCallServer } from "./support/call-server.ts";

const launch: Context = {
  during: "launch",
  region: "eu-west-1",
  zone: "eu-west-1b",
  instanceType: "p5.48xlarge",
  market: "on_demand",
  image: "ami-0123",
};

const faultWith = (code: string, status = 400, message = "said so", operation = "RunInstances") =>
  new Fault({ code, status, message, operation, service: "ec2", kind: kindOf({ code, body: {} }, status) });

/** Code, HTTP status as EC2 gives it, in a launch, elsewhere. */
const rows: readonly (readonly [string, number, ErrorCode, ErrorCode])[] = [
  ["InsufficientInstanceCapacity", 500, "no_capacity", "no_capacity"],
  ["InsufficientHostCapacity", 500, "no_capacity", "no_capacity"],
  ["InsufficientReservedInstanceCapacity", 400, "no_capacity", "no_capacity"],
  ["ReservationCapacityExceeded", 400, "no_capacity", "no_capacity"],
  ["InsufficientCapacity", 500, "no_capacity", "no_capacity"],
  ["InsufficientFreeAddressesInSubnet", 400, "no_capacity", "no_capacity"],
  ["SpotMaxPriceTooLow", 400, "no_capacity", "no_capacity"],
  ["Unsupported", 400, "no_capacity", "no_capacity"],
  ["UnsupportedOperation", 400, "no_capacity", "no_capacity"],
  ["InvalidParameterCombination", 400, "no_capacity", "no_capacity"],
  ["InvalidInstanceType", 400, "no_capacity", "no_capacity"],
  ["InvalidInstanceType.NotFound", 400, "no_capacity", "no_capacity"],
  ["IdempotentInstanceTerminated", 400, "no_capacity", "no_capacity"],
  ["VcpuLimitExceeded", 400, "quota_exceeded", "quota_exceeded"],
  ["InstanceLimitExceeded", 400, "quota_exceeded", "quota_exceeded"],
  ["MaxSpotInstanceCountExceeded", 400, "quota_exceeded", "quota_exceeded"],
  ["VolumeLimitExceeded", 400, "quota_exceeded", "quota_exceeded"],
  ["SecurityGroupLimitExceeded", 400, "quota_exceeded", "quota_exceeded"],
  ["InvalidAMIID.NotFound", 400, "launch_failed", "internal"],
  ["InvalidAMIID.Malformed", 400, "launch_failed", "internal"],
  ["InvalidAMIID.Unavailable", 400, "launch_failed", "internal"],
  ["InvalidSubnetID.NotFound", 400, "launch_failed", "internal"],
  ["InvalidParameterValue", 400, "launch_failed", "internal"],
  ["InvalidKeyPair.NotFound", 400, "launch_failed", "internal"],
  ["VPCIdNotSpecified", 400, "launch_failed", "internal"],
  ["DefaultVpcDoesNotExist", 400, "launch_failed", "internal"],
  ["IdempotentParameterMismatch", 400, "launch_failed", "internal"],
  ["SomethingNew", 400, "launch_failed", "internal"],
  ["UnauthorizedOperation", 403, "launch_failed", "unavailable"],
  ["AccessDenied", 403, "launch_failed", "unavailable"],
  ["AccessDeniedException", 400, "launch_failed", "unavailable"],
  ["OptInRequired", 401, "launch_failed", "unavailable"],
  ["AuthFailure", 401, "launch_failed", "unavailable"],
  ["PendingVerification", 400, "launch_failed", "unavailable"],
  ["ExpiredToken", 400, "unavailable", "unavailable"],
  ["ExpiredTokenException", 400, "unavailable", "unavailable"],
  ["RequestExpired", 400, "unavailable", "unavailable"],
  ["NoSuchBucket", 404, "unavailable", "unavailable"],
  ["ResourceNotFoundException", 400, "unavailable", "unavailable"],
  ["RequestLimitExceeded", 503, "busy", "busy"],
  ["Throttling", 400, "busy", "busy"],
  ["ThrottlingException", 400, "busy", "busy"],
  ["RequestThrottled", 400, "busy", "busy"],
  ["InvalidGroup.NotFound", 400, "busy", "busy"],
  ["SomethingNew", 429, "busy", "busy"],
  ["ServiceUnavailable", 503, "unavailable", "unavailable"],
  ["InternalError", 500, "unavailable", "unavailable"],
  ["SomethingNew", 500, "unavailable", "unavailable"],
];

describe("a code", () => {
  test.each(rows)("%s (%i) is %s in a launch, else %s", (code, status, inLaunch, elsewhere) => {
    const fault = faultWith(code, status);
    expect([toMusterError(fault, launch).code, toMusterError(fault).code]).toEqual([inLaunch, elsewhere]);
  });

  test.each(rows)("%s (%i) may be tried again unless it was refused for good", (code, status) => {
    const fault = faultWith(code, status);
    const error = toMusterError(fault, launch);
    const expected = { throttled: "busy", unknown: "unavailable", refused: error.code } as const;
    expect(error.code).toBe(expected[fault.kind]);
    expect(fault.kind === "refused" || isRetryable(error)).toBe(true);
    expect(error.code === "launch_failed" && fault.kind !== "refused").toBe(false);
  });

  test("each has words and a next step, with and without a context, and none says what it does not know", () => {
    for (const [code, status] of rows)
      for (const context of [launch, {}, { ...launch, market: "spot" as const }]) {
        const error = toMusterError(faultWith(code, status), context);
        const { hint } = error.details;
        expect([code, error.message]).toEqual([code, expect.stringMatching(/^\S.{10,}\S$/)]);
        expect([code, hint]).toEqual([code, expect.stringMatching(/^\S.{8,}\S$/)]);
        expect(`${error.message} ${hint}`).not.toMatch(/undefined|\[object|NaN/);
        expect(error.details.aws).toEqual({ code, operation: "RunInstances" });
        expect(error.cause).toBeInstanceOf(Fault);
      }
  });
});

describe("the words", () => {
  const words = (code: string, message: string, context: Context = launch, operation = "RunInstances") => {
    const { code: error, message: says, details } = toMusterError(faultWith(code, 400, message, operation), context);
    return { error, says, hint: details.hint };
  };

  test.each([
    ["p5.48xlarge", "on_demand", "Running On-Demand P instances", "L-417A185B"],
    ["p5.48xlarge", "spot", "All P5 Spot Instance Requests", "L-C4BD4855"],
    ["g6e.xlarge", "spot", "All G and VT Spot Instance Requests", "L-3819A6DF"],
    ["m7i.large", "on_demand", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", "L-1216C47A"],
  ] as const)(
    "name the quota that %s on %s counts against, and where to ask for more",
    (instanceType, market, name, code) => {
      const said = words("VcpuLimitExceeded", "…", { ...launch, instanceType, market });
      expect(said.says).toContain(`'${name}'`);
      expect(said.hint).toBe(
        `ask for more vCPUs: https://eu-west-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/${code}`,
      );
    },
  );

  test("of a quota that nobody knows lead to the list", () => {
    const said = words("VcpuLimitExceeded", "…", { ...launch, instanceType: "q9.large" });
    expect(said.hint).toMatch(/ec2\/quotas$/);
    expect(said.says).toContain("running on-demand instances");
  });

  test("name the type, the market and the zone that had nothing left", () => {
    expect(words("InsufficientInstanceCapacity", "…", { ...launch, market: "spot" }).says).toBe(
      "AWS has no spot p5.48xlarge left in eu-west-1b",
    );
  });

  test("name the permission that was missing", () => {
    expect(words("UnauthorizedOperation", "You are not authorized. Encoded: abc").hint).toContain(
      "needs the permission ec2:RunInstances, ec2:CreateTags, and iam:PassRole",
    );
    const said =
      "User: arn:aws:sts::1:x is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:x";
    const { hint } = words("AccessDeniedException", said, {}, "TransactWriteItems");
    expect(hint).toMatch(/the permission dynamodb:PutItem;/);
  });

  test("tell an image from credentials, and a type from a value", () => {
    const image = "the image ami-0123 does not exist in eu-west-1, or is private";
    expect(words("AuthFailure", "Not authorized for images: [ami-0123]").says).toBe(image);
    expect(words("InvalidAMIID.NotFound", "The image id '[ami-0123]' does not exist").says).toBe(image);
    expect(words("AuthFailure", "AWS was not able to validate the provided access credentials").says).toMatch(
      /credentials/,
    );
    expect(words("InvalidParameterValue", "Invalid value 'p9.large' for InstanceType.").error).toBe("no_capacity");
    const architecture =
      "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64' of the specified AMI.";
    expect(words("InvalidParameterValue", architecture)).toMatchObject({
      error: "launch_failed",
      says: expect.stringContaining("the image"),
    });
    expect(words("InvalidParameterValue", "Value (x) for parameter iops is invalid").error).toBe("launch_failed");
    expect(words("UnsupportedOperation", "You can't stop the Spot Instance", {}, "StopInstances").error).toBe(
      "unsupported",
    );
  });

  test("name what to do without a default VPC", () => {
    expect(words("VPCIdNotSpecified", "No default VPC for this user.").hint).toContain(
      "`aws ec2 create-default-vpc --region eu-west-1`",
    );
  });

  test("of AWS are kept, shortened", () => {
    const { says } = words("SomethingNew", `long ${"x".repeat(5000)}`);
    expect(says).toContain("long xxx");
    expect(says.length).toBeLessThan(400);
  });
});

describe("an error of the SDK", () => {
  let server: CallServer;
  beforeAll(async () => {
    server = await startCallServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.forget());

  const client = (endpoint = server.url) =>
    new EC2Client({
      region: "us-east-1",
      endpoint,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
      requestHandler: { requestTimeout: 100, throwOnRequestTimeout: true },
    });
  const met = async (answering: Answering, ec2 = client()): Promise<Fault> => {
    server.answer(answering);
    const error: unknown = await ec2
      .send(new RunInstancesCommand({ ImageId: "ami-0123", MinCount: 1, MaxCount: 1 }))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    return faultOf(error, "RunInstances");
  };
  /** As the EC2 API reference shows it. */
  const answered = (status: number, code: string, message: string) =>
    say(
      status,
      `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>`,
      { "content-type": "text/xml;charset=UTF-8" },
    );

  test.each([
    [
      "InsufficientInstanceCapacity",
      500,
      "We currently do not have sufficient p5.48xlarge capacity in the Availability Zone you requested (us-east-1a).",
      "refused",
    ],
    [
      "VcpuLimitExceeded",
      400,
      "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to.",
      "refused",
    ],
    ["MaxSpotInstanceCountExceeded", 400, "Max spot instance count exceeded", "refused"],
    ["InvalidAMIID.NotFound", 400, "The image id '[ami-0123]' does not exist", "refused"],
    ["UnauthorizedOperation", 403, "You are not authorized to perform this operation.", "refused"],
    ["RequestLimitExceeded", 503, "Request limit exceeded.", "throttled"],
    ["InternalError", 500, "An internal error has occurred", "unknown"],
    ["Unavailable", 503, "The service is unavailable. Please try again shortly.", "unknown"],
  ])("%s (%i) keeps its code, its status and its words", async (code, status, message, kind) => {
    const fault = await met(answered(status, code, message));
    expect(fault).toMatchObject({ code, status, kind, said: message, operation: "RunInstances", service: "ec2" });
    expect(server.asked).toHaveLength(1);
  });

  test("an answer that is no XML is one that did not come", async () => {
    const page = say(503, "<html><body><b>Http/1.1 Service Unavailable</b></body>", { "content-type": "text/html" });
    expect(await met(page)).toMatchObject({ status: 503, kind: "unknown" });
    expect(await met(say(200, "no xml"))).toMatchObject({ code: "UnreadableAnswer", status: 200, kind: "unknown" });
  });

  test("without an answer nobody knows", async () => {
    expect(await met(reset)).toMatchObject({ code: "ECONNRESET", status: 0, kind: "unknown" });
    expect(await met(silence)).toMatchObject({ code: "ETIMEDOUT", status: 0, kind: "unknown" });
  });

  test("without a connection nothing was done", async () => {
    const gone = await startCallServer();
    await gone.close();
    expect(await met(reset, client(gone.url))).toMatchObject({ code: "ECONNREFUSED", status: 0, kind: "throttled" });
  });

  test("without credentials nothing was sent", async () => {
    const none = Object.assign(new Error("could not load credentials"), { name: "CredentialsProviderError" });
    const fault = faultOf(none, "RunInstances");
    expect(fault).toMatchObject({ code: "CredentialsProviderError", status: 0, kind: "refused" });
    expect(toMusterError(fault, launch).code).toBe("unavailable");
  });

  test("a fault stays what it is, and what is no failure of AWS is thrown on", () => {
    const fault = faultWith("Throttling");
    expect(faultOf(fault, "Other")).toBe(fault);
    const invalid = Object.assign(new TypeError("no such argument"), { code: "ERR_INVALID_ARG_TYPE" });
    const retried = Object.assign(new TypeError("x is undefined"), { $metadata: { attempts: 1 } });
    for (const error of [new TypeError("x"), invalid, retried, new MusterError("busy", "try later"), "text", undefined])
      expect(() => faultOf(error, "RunInstances")).toThrow(error instanceof Error ? error : undefined);
  });
});
