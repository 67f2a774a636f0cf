/** What the stacks would have made, made in moto: the table, the bucket, the queue, the roles and the state machines. */
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { json } from "@muster/aws/call/json.ts";
import type { FunctionName } from "@muster/aws/places.ts";
import { creation } from "@muster/aws/table/schema.ts";
import { definitions } from "@muster/core/machine/definitions.ts";

export const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

export interface Made {
  readonly table: string;
  readonly bucket: string;
  readonly queue: string;
  readonly up: string;
  readonly down: string;
  readonly profile: string;
}

export async function makeResources(
  endpoint: string,
  region: string,
  deployment: string,
  runtime: Readonly<Record<string, string>>,
): Promise<Made> {
  const aws = { region, endpoint, credentials: async () => CREDENTIALS };
  const table = `${deployment}-table`;
  const bucket = `${deployment}-bucket`;
  const dynamo = new DynamoDBClient({ endpoint, region, credentials: CREDENTIALS });
  await dynamo.send(new CreateTableCommand(creation(table)));
  dynamo.destroy();
  const s3 = new S3Client({ endpoint, region, credentials: CREDENTIALS, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const [sha256, text] of Object.entries(runtime))
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `runtime/${sha256}`, Body: text }));
  s3.destroy();
  const { QueueUrl: queue } = await json(aws, "sqs", "CreateQueue", { QueueName: `${deployment}-rings` });
  const machine = async (name: keyof typeof definitions) => {
    const { stateMachineArn } = await json(aws, "states", "CreateStateMachine", {
      name: `${deployment}-${name}`,
      definition: definitionOf(name, `${deployment}-lifecycle`),
      roleArn: "arn:aws:iam::123456789012:role/machine",
    });
    return String(stateMachineArn);
  };
  return {
    table,
    bucket,
    queue: String(queue),
    up: await machine("cluster-up"),
    down: await machine("cluster-down"),
    profile: await makeProfile(endpoint, region),
  };
}

/** The definition as it is deployed, but for its waits: moto's interpreter waits in real seconds. */
function definitionOf(name: keyof typeof definitions, lifecycle: string): string {
  const definition = structuredClone(definitions[name]) as {
    States: Record<string, { Type: string; Seconds?: number; Retry?: { IntervalSeconds: number }[] }>;
  };
  for (const state of Object.values(definition.States)) {
    if (state.Seconds !== undefined) state.Seconds = 1;
    for (const retry of state.Retry ?? []) retry.IntervalSeconds = 1;
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the definition's own placeholder
  return JSON.stringify(definition).replaceAll("${LifecycleFunction}", functionArn(lifecycle));
}

export const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
export const functionName = (deployment: string, name: FunctionName): string => `${deployment}-${name}`;

/** Moto refuses machines with a profile that is not there. */
async function makeProfile(endpoint: string, region: string): Promise<string> {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/${region}/iam/aws4_request` },
    body: new URLSearchParams({ Action: "CreateInstanceProfile", InstanceProfileName: "hosts", Version: "2010-05-08" }),
  });
  if (!answer.ok) throw new Error(`moto made no instance profile: ${await answer.text()}`);
  return "arn:aws:iam::123456789012:instance-profile/hosts";
}
