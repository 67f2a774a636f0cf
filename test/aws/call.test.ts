/** Ran against: plain HTTP servers of the test, which answer, fall silent or hang up as each test says. */
import { type Aws, lambdaCredentials } from "@muster/aws/call/aws.ts";
import { json } from "@muster/aws/call/json.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bench, failure, faultIn, makeBench } from "./support/call-bench.ts";
import {
  type Answering,
  type CallServer,
  inTurn,
  reset,
  say,
  silence,
  startCallServer,
} from "./support/call-server.ts";

let server: CallServer;
let aws: Aws;
let calls: Bench["calls"];
let read: Bench["read"];
let write: Bench["write"];
beforeEach(async () => {
  ({ server, aws, calls, read, write } = await makeBench());
});
afterEach(() => server.close());

describe("a request", () => {
  test.each([
    ["dynamodb", "1.0", "DynamoDB_20120810"],
    ["states", "1.0", "AWSStepFunctions"],
    ["sqs", "1.0", "AmazonSQS"],
    ["ssm", "1.1", "AmazonSSM"],
    ["pricing", "1.1", "AWSPriceListService"],
    ["servicequotas", "1.1", "ServiceQuotasV20190624"],
  ] as const)("to %s is in its dialect, and signed for it", async (service, version, target) => {
    server.answer(say(200, { fine: true }));
    expect(await json(aws, service, "DoThis", { a: "é" })).toEqual({ fine: true });
    const [{ method, url, headers, body } = expect.fail()] = server.asked;
    expect([method, url, body]).toEqual(["POST", "/", '{"a":"é"}']);
    expect(headers).toMatchObject({
      "content-type": `application/x-amz-json-${version}`,
      "x-amz-target": `${target}.DoThis`,
      "x-amz-security-token": "token",
      "content-length": "10",
    });
    const region = service === "pricing" ? "us-east-1" : "us-east-2";
    expect(headers.authorization).toContain(`/${region}/${service}/aws4_request, SignedHeaders=content-length;`);
  });

  test("an answer may be empty", async () => {
    server.answer(say(200, ""));
    expect(await read()).toEqual({});
  });

  test("each is told, with the capacity it took", async () => {
    const consumed = (capacity: unknown) => say(200, { ConsumedCapacity: capacity });
    server.answer(
      inTurn(
        consumed({ TableName: "t", CapacityUnits: 1.5 }),
        consumed({ TableName: "t", CapacityUnits: 3 }),
        consumed([
          { TableName: "t", CapacityUnits: 6, WriteCapacityUnits: 6 },
          { TableName: "u", CapacityUnits: 4, WriteCapacityUnits: 2, ReadCapacityUnits: 2 },
        ]),
        consumed([{ CapacityUnits: 2 }, { CapacityUnits: 3 }]),
        say(200),
      ),
    );
    await read();
    await write();
    await json(aws, "dynamodb", "TransactWriteItems", {});
    await json(aws, "dynamodb", "BatchGetItem", {});
    await read();
    const told = { service: "dynamodb", status: 200, attempt: 1 };
    expect(calls).toEqual([
      { ...told, operation: "GetItem", readUnits: 1.5 },
      { ...told, operation: "PutItem", writeUnits: 3 },
      { ...told, operation: "TransactWriteItems", readUnits: 2, writeUnits: 8 },
      { ...told, operation: "BatchGetItem", readUnits: 5 },
      { ...told, operation: "GetItem" },
    ]);
  });

  test("a function's credentials come from its environment", async () => {
    const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_SESSION_TOKEN: "c" };
    expect(await lambdaCredentials(env)()).toEqual({ accessKeyId: "a", secretAccessKey: "b", sessionToken: "c" });
    const { AWS_SESSION_TOKEN: _, ...lasting } = env;
    expect(await lambdaCredentials(lasting)()).toEqual({ accessKeyId: "a", secretAccessKey: "b" });
    await expect(lambdaCredentials({ ...env, AWS_ACCESS_KEY_ID: "" })()).rejects.toThrow("no AWS credentials");
  });
});

describe("a failure", () => {
  test.each([
    [
      "the body, with the service's name",
      failure(400, "ConditionalCheckFailedException"),
      "ConditionalCheckFailedException",
    ],
    [
      "the body, with a reason behind it",
      say(400, { __type: "ParameterNotFound:http://internal.amazon.com/x/" }),
      "ParameterNotFound",
    ],
    ["the body's code", say(400, { code: "aws.x#InvalidX", Message: "said so" }), "InvalidX"],
    ["a header", say(400, {}, { "x-amzn-errortype": "ExecutionAlreadyExists:http://x.y/" }), "ExecutionAlreadyExists"],
    ["nothing but the status", say(403, "<html>no</html>", { "content-type": "text/html" }), "Http403"],
  ])("is named by %s", async (_, answering, code) => {
    server.answer(answering);
    expect(await faultIn(read())).toMatchObject({ code, service: "dynamodb", operation: "GetItem", kind: "refused" });
    expect(server.asked).toHaveLength(1);
  });

  test("it carries all that was said", async () => {
    const CancellationReasons = [{ Code: "None" }, { Code: "ConditionalCheckFailed", Item: { pk: { S: "a" } } }];
    server.answer(failure(400, "TransactionCanceledException", { CancellationReasons }));
    const fault = await faultIn(json(aws, "dynamodb", "TransactWriteItems", {}));
    expect(fault).toMatchObject({ status: 400, kind: "refused", body: { CancellationReasons } });
    expect(fault.message).toBe("TransactWriteItems: TransactionCanceledException: said so");
  });

  test.each([
    ["ConditionalCheckFailedException", 400, "refused"],
    ["ValidationException", 400, "refused"],
    ["AccessDeniedException", 400, "refused"],
    ["NotImplemented", 501, "refused"],
    ["ThrottlingException", 400, "throttled"],
    ["ProvisionedThroughputExceededException", 400, "throttled"],
    ["RequestLimitExceeded", 400, "throttled"],
    ["TransactionConflictException", 400, "throttled"],
    ["SlowDown", 503, "throttled"],
    ["WhoKnows", 429, "throttled"],
    ["TransactionInProgressException", 400, "unknown"],
    ["InternalServerError", 500, "unknown"],
    ["ServiceUnavailable", 503, "unknown"],
    ["WhoKnows", 500, "unknown"],
  ])("%s (%i) is %s", async (code, status, kind) => {
    server.answer(failure(status, code));
    expect(await faultIn(read({ attempts: 1 }))).toMatchObject({ code, status, kind });
  });

  test.each([
    [["TransactionConflict"], "throttled"],
    [["None", "ThrottlingError", "ProvisionedThroughputExceeded"], "throttled"],
    [["TransactionConflict", "ConditionalCheckFailed"], "refused"],
    [["None"], "refused"],
  ])("a transaction that was cancelled for %j is %s", async (codes, kind) => {
    const CancellationReasons = codes.map(Code => ({ Code }));
    server.answer(failure(400, "TransactionCanceledException", { CancellationReasons }));
    expect(await faultIn(json(aws, "dynamodb", "TransactWriteItems", {}, { attempts: 1 }))).toMatchObject({ kind });
  });

  test("an answer that cannot be read is one that did not come", async () => {
    for (const body of ["<html>fine</html>", "[1]", '{"cut":'])
      for (const ask of [read, write]) {
        server.answer(say(200, body));
        expect(await faultIn(ask({ attempts: 1 }))).toMatchObject({
          code: "UnreadableAnswer",
          status: 200,
          kind: "unknown",
        });
      }
    expect(calls.every(call => call.status === 200)).toBe(true);
  });

  test.each([
    ["the connection ends before the answer", reset],
    [
      "the connection ends within the answer",
      (_, response, socket) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{", () => socket.destroy());
      },
    ],
  ] satisfies [string, Answering][])("nobody knows what was done when %s", async (_, answering) => {
    server.answer(answering);
    expect(await faultIn(write())).toMatchObject({ kind: "unknown", status: 0, code: "ECONNRESET" });
    expect(calls).toEqual([{ service: "dynamodb", operation: "PutItem", status: 0, attempt: 1 }]);
  });

  test.each([
    ["no answer comes in time", silence],
    [
      "an answer stops in its middle",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
      },
    ],
  ] satisfies [string, Answering][])("nobody knows what was done when %s", async (_, answering) => {
    server.answer(answering);
    expect(await faultIn(write({ attempts: 1, timeout: 100 }))).toMatchObject({
      kind: "unknown",
      status: 0,
      code: "ETIMEDOUT",
    });
    expect(server.asked).toHaveLength(1);
  });

  test("nothing was done when no connection came about", async () => {
    await server.close();
    expect(await faultIn(write())).toMatchObject({ kind: "throttled", status: 0, code: "ECONNREFUSED" });
    expect(calls.map(call => [call.status, call.attempt])).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
    server = await startCallServer();
  });

  test("credentials that cannot be had are no failure of AWS", async () => {
    const poor = { ...aws, credentials: () => Promise.reject(new Error("none here")) };
    await expect(json(poor, "dynamodb", "GetItem", {})).rejects.toThrow("none here");
    expect(server.asked).toEqual([]);
  });
});
