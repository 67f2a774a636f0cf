/** Ran against: moto through the edge, by AWS's own SDK clients. What the edge does itself is ours, and shown here. */
import * as Dynamo from "@aws-sdk/client-dynamodb";
import * as Ec2 from "@aws-sdk/client-ec2";
import * as S3 from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AwsError, type Edge, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";

let moto: Moto;
let edge: Edge;
let ec2: Ec2.EC2Client;
let dynamo: Dynamo.DynamoDBClient;
let s3: S3.S3Client;
let impatient: Ec2.EC2Client;
let images = 0;
const IMAGE = "ami-12c6146b";

beforeAll(async () => {
  moto = await startMoto();
  edge = await startEdge({
    moto,
    clientTokens: true,
    lambdas: {
      double: event => Number(event) * 2,
      fail: () => {
        throw new RangeError("too far");
      },
    },
    gaps: {
      "ec2.GetSpotPlacementScores": () =>
        "<GetSpotPlacementScoresResponse><spotPlacementScoreSet><item><score>7</score></item></spotPlacementScoreSet></GetSpotPlacementScoresResponse>",
      "ec2.DescribeImages": (_, next) => {
        images++;
        return next();
      },
      "dynamodb.ListTables": input => {
        if (input.Limit === 7) throw new AwsError("ValidationException", "seven is refused");
        return { TableNames: ["of", "the", "edge"] };
      },
    },
  });
  const config = {
    endpoint: edge.url,
    region: "eu-west-1",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
    maxAttempts: 1,
  };
  ec2 = new Ec2.EC2Client(config);
  impatient = new Ec2.EC2Client({ ...config, requestHandler: { requestTimeout: 300, throwOnRequestTimeout: true } });
  dynamo = new Dynamo.DynamoDBClient(config);
  s3 = new S3.S3Client({ ...config, forcePathStyle: true });
});
afterEach(async () => {
  edge.clear();
  await moto.reset();
});
afterAll(async () => {
  await edge?.close();
  await moto?.close();
});

const run = (client: Ec2.EC2Client = ec2, ClientToken?: string) =>
  client.send(
    new Ec2.RunInstancesCommand({ ImageId: IMAGE, InstanceType: "t3.small", MinCount: 1, MaxCount: 1, ClientToken }),
  );
const count = async () =>
  (await ec2.send(new Ec2.DescribeInstancesCommand({}))).Reservations?.flatMap(one => one.Instances ?? []).length;
const runs = () => edge.log.filter(call => call.operation === "RunInstances").map(call => [call.status, call.fault]);
const failing = (name: string) => expect.objectContaining({ name });

describe("refusals apply nothing", () => {
  test.each([
    [{ kind: "throttle" }, "RequestLimitExceeded", 503],
    [{ kind: "error", code: "InsufficientInstanceCapacity", status: 500 }, "InsufficientInstanceCapacity", 500],
    [{ kind: "http500" }, "InternalError", 500],
    [{ kind: "http503" }, "ServiceUnavailable", 503],
  ] as const)("%j", async (fault, name, status) => {
    edge.inject({ on: "ec2.RunInstances", ...fault });
    await expect(run()).rejects.toEqual(failing(name));
    expect(runs()).toEqual([[status, fault.kind]]);
    expect(await count()).toBe(0);
  });

  test("each protocol has its own spelling of an error", async () => {
    edge.inject({ on: "dynamodb.GetItem", kind: "throttle" }, { on: "s3.GetObject", kind: "throttle" });
    const item = new Dynamo.GetItemCommand({ TableName: "t", Key: { pk: { S: "a" } } });
    await expect(dynamo.send(item)).rejects.toBeInstanceOf(Dynamo.ProvisionedThroughputExceededException);
    await expect(s3.send(new S3.GetObjectCommand({ Bucket: "b", Key: "k" }))).rejects.toEqual(failing("SlowDown"));
  });
});

describe("what becomes of an answer", () => {
  test.each([
    ["reset", 0],
    ["reset-after-apply", 1],
    ["truncate", 1],
  ] as const)("%s breaks the connection", async (kind, applied) => {
    edge.inject({ on: "ec2.RunInstances", kind });
    await expect(run()).rejects.toThrow();
    expect(runs()).toEqual([[applied === 0 ? 0 : 200, kind]]);
    expect(await count()).toBe(applied);
  });

  test.each([
    ["timeout", 0],
    ["timeout-after-apply", 1],
  ] as const)("%s keeps silent", async (kind, applied) => {
    edge.inject({ on: "ec2.RunInstances", kind });
    await expect(run(impatient)).rejects.toEqual(failing("TimeoutError"));
    expect(await count()).toBe(applied);
  });

  test("a duplicate is applied twice and answered once", async () => {
    edge.inject({ on: "ec2.RunInstances", kind: "duplicate" });
    expect((await run()).Instances).toHaveLength(1);
    // The SDK makes a token for each call, and the edge remembers it: moto alone would start two.
    expect(await count()).toBe(1);
    edge.inject({ on: "ec2.AllocateAddress", kind: "duplicate" });
    await ec2.send(new Ec2.AllocateAddressCommand({}));
    expect((await ec2.send(new Ec2.DescribeAddressesCommand({}))).Addresses).toHaveLength(2);
  });

  test("a delay is longer than the client's patience, but the call is applied", async () => {
    edge.inject({ on: "ec2.RunInstances", kind: "delay", ms: 600 });
    await expect(run(impatient)).rejects.toEqual(failing("TimeoutError"));
    await expect.poll(count).toBe(1);
  });
});

test("a fault hits as often as it says, where it says, and only what it matches", async () => {
  const match = (body: string) => body.includes("t3.small");
  edge.inject({ on: "ec2.RunInstances", kind: "throttle", skip: 1, times: 2, match });
  edge.inject({ on: "s3.*", kind: "throttle", times: Number.POSITIVE_INFINITY });
  for (const name of ["", "RequestLimitExceeded", "RequestLimitExceeded", ""])
    if (name === "") expect((await run()).Instances).toHaveLength(1);
    else await expect(run()).rejects.toEqual(failing(name));
  edge.clear();
  expect(edge.log).toEqual([]);
});

describe("client tokens", () => {
  test("the same token and parameters get the first answer, other parameters are refused", async () => {
    const [first, second] = [await run(ec2, "once"), await run(ec2, "once")];
    expect(second.Instances?.[0]?.InstanceId).toBe(first.Instances?.[0]?.InstanceId);
    expect((await run(ec2, "twice")).Instances?.[0]?.InstanceId).not.toBe(first.Instances?.[0]?.InstanceId);
    const other = new Ec2.RunInstancesCommand({ ImageId: IMAGE, MinCount: 2, MaxCount: 2, ClientToken: "once" });
    await expect(ec2.send(other)).rejects.toEqual(failing("IdempotentParameterMismatch"));
    expect(await count()).toBe(2);
  });

  test("two at once start one, and a refused call leaves no token behind", async () => {
    const both = await Promise.all([run(ec2, "race"), run(ec2, "race")]);
    expect(new Set(both.map(one => one.Instances?.[0]?.InstanceId)).size).toBe(1);
    const wrong = (type: string) =>
      new Ec2.RunInstancesCommand({
        ImageId: type,
        InstanceType: "t3.small",
        MinCount: 1,
        MaxCount: 1,
        ClientToken: "w",
      });
    await expect(ec2.send(wrong("ami-00000000"))).rejects.toEqual(failing("InvalidAMIID.NotFound"));
    expect((await ec2.send(wrong(IMAGE))).Instances).toHaveLength(1);
  });
});

describe("gaps", () => {
  test("are answered by the edge: as XML, as JSON, as an error, or by moto after all", async () => {
    const scores = await ec2.send(new Ec2.GetSpotPlacementScoresCommand({ TargetCapacity: 1 }));
    expect(scores.SpotPlacementScores).toEqual([{ Score: 7 }]);
    expect((await dynamo.send(new Dynamo.ListTablesCommand({}))).TableNames).toEqual(["of", "the", "edge"]);
    await expect(dynamo.send(new Dynamo.ListTablesCommand({ Limit: 7 }))).rejects.toThrow("seven is refused");
    const { Images } = await ec2.send(new Ec2.DescribeImagesCommand({ ImageIds: [IMAGE] }));
    expect([Images?.length, images]).toEqual([1, 1]);
  });

  test("what neither has fails loudly, and is remembered", async () => {
    const asking = ec2.send(new Ec2.DescribeCapacityBlockOfferingsCommand({ CapacityDurationHours: 24 }));
    await expect(asking).rejects.toEqual(failing("NotImplemented"));
    expect(edge.unimplemented).toEqual(["ec2.DescribeCapacityBlockOfferings"]);
  });
});

test("functions run in this process, and what they throw is an answer too", async () => {
  const invoke = async (name: string, payload: unknown) => {
    const url = `${edge.url}/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3A${name}/invocations`;
    const authorization = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/lambda/aws4_request, SignedHeaders=host";
    const answer = await fetch(url, { method: "POST", body: JSON.stringify(payload), headers: { authorization } });
    return [answer.status, answer.headers.get("x-amz-function-error"), await answer.json()];
  };
  expect(await invoke("double", 21)).toEqual([200, null, 42]);
  const failure = { errorType: "RangeError", errorMessage: "too far", trace: [] };
  expect(await invoke("fail", {})).toEqual([200, "Unhandled", failure]);
  expect((await invoke("nobody", {}))[0]).toBe(404);
  expect(edge.log.map(call => `${call.service}.${call.operation}`)).toEqual(Array(3).fill("lambda.Invoke"));
});

test("S3 is told apart by path and query, also when the signature is in the URL or in a form", async () => {
  const at = { Bucket: "bucket", Key: "a/b c" };
  await s3.send(new S3.CreateBucketCommand({ Bucket: "bucket" }));
  await s3.send(new S3.PutObjectCommand({ ...at, Body: "one" }));
  await s3.send(new S3.HeadObjectCommand(at));
  await s3.send(new S3.ListObjectsV2Command({ Bucket: "bucket" }));
  const fetched = await fetch(await getSignedUrl(s3, new S3.GetObjectCommand(at)));
  expect(await fetched.text()).toBe("one");
  const { url, fields } = await createPresignedPost(s3, { Bucket: "bucket", Key: "posted" });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", new Blob(["two"]));
  expect((await fetch(url, { method: "POST", body: form })).status).toBe(204);
  const posted = await s3.send(new S3.GetObjectCommand({ Bucket: "bucket", Key: "posted" }));
  expect(await posted.Body?.transformToString()).toBe("two");
  await s3.send(new S3.DeleteObjectCommand(at));
  expect(edge.log.map(call => `${call.service}.${call.operation}`)).toEqual([
    "s3.CreateBucket",
    "s3.PutObject",
    "s3.HeadObject",
    "s3.ListObjectsV2",
    "s3.GetObject",
    "s3.PostObject",
    "s3.GetObject",
    "s3.DeleteObject",
  ]);
});
