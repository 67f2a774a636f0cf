/**
 * A deployment in small: the functions as their bundles, in processes of their own; DynamoDB, EC2, S3, SQS and Step
 * Functions by moto, which is not ours, through the edge; the gateway, the event sources and the machines' metadata by us.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2Client } from "@aws-sdk/client-ec2";
import { type Client, client } from "@muster/api/client.ts";
import { SERVING } from "@muster/api/routes.ts";
import { FUNCTIONS, type FunctionName, namesOf } from "@muster/aws/places.ts";
import type { Created } from "@muster/core/token/token.ts";
import { awsHeaders } from "../../agent/support/signature.ts";
import { gaps } from "../catalog-support.ts";
import { type Edge, type Gap, startEdge } from "../support/edge.ts";
import { type Moto, startMoto } from "../support/moto.ts";
import { bundle } from "./bundle.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { type Deployed, deployed } from "./lambda.ts";
import { type Machines, watchMachines } from "./machines.ts";
import { CREDENTIALS, functionName, makeResources } from "./resources.ts";
import { connect, type Mapping } from "./stream.ts";

export const REGION = "us-east-1";
export const ACCOUNT = "123456789012";
const DEPLOYMENT = "muster-test";

export interface Deployment {
  readonly url: string;
  readonly api: Client;
  readonly token: string;
  readonly functions: Readonly<Record<FunctionName, Deployed>>;
  readonly edge: Edge;
  readonly moto: Moto;
  /** Straight to moto, past the faults of the edge. */
  readonly ec2: EC2Client;
  readonly gateway: Gateway;
  readonly stream: Mapping;
  readonly machines: Machines;
  /** Of the functions, who can be told that it is later than it is: by so many ms. */
  readonly clock: { ahead: number };
  close(): Promise<void>;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export async function deploy(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "muster-bundles-"));
  const moto = await startMoto();
  const functions = {} as Record<FunctionName, Deployed>;
  const lambdas = Object.fromEntries(
    FUNCTIONS.map(name => [functionName(DEPLOYMENT, name), (event: unknown) => functions[name].invoke(event)]),
  );
  const place: { url: string; machines?: Machines } = { url: "http://127.0.0.1:1" };
  const kicked: Gap = async input => {
    // Moto takes every command and runs none: the document's one step is done here.
    for (const id of input.InstanceIds as string[]) await place.machines?.kick(id).catch(() => undefined);
    return { Command: { CommandId: "kick", Status: "Pending" } };
  };
  const edge = await startEdge({ moto, clientTokens: true, lambdas, gaps: { ...gaps, "ssm.SendCommand": kicked } });
  const runtime = ["agent", "node for x64", "node for arm64"];
  const made = await makeResources(
    moto.url,
    REGION,
    DEPLOYMENT,
    Object.fromEntries(runtime.map(text => [sha256(text), text])),
  );
  const env = (): Record<string, string> => ({
    AWS_ENDPOINT_URL: edge.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    SST_RESOURCE_App: JSON.stringify({ name: "muster", stage: "test" }),
    SST_RESOURCE_Muster: JSON.stringify({
      deployment: DEPLOYMENT,
      region: REGION,
      account: ACCOUNT,
      table: made.table,
      bucket: made.bucket,
      key: Buffer.alloc(32, 7).toString("base64"),
      tags: { "cost-center": "42" },
    }),
    SST_RESOURCE_Fleet: JSON.stringify({
      endpoint: place.url,
      hostProfile: made.profile,
      kickDocument: namesOf(DEPLOYMENT).kickDocument,
      runtime: { agent: sha256("agent"), nodeX64: sha256("node for x64"), nodeArm64: sha256("node for arm64") },
    }),
    SST_RESOURCE_Doorbell: JSON.stringify({ up: made.up, down: made.down, rings: made.queue }),
    SST_RESOURCE_Outbox: JSON.stringify({ allow: [], deliveries: made.queue }),
  });
  // Bundles first: a function starts when it is first called, with the environment as it is then.
  const clock = { ahead: 0 };
  const bundles = new Map<FunctionName, string>();
  for (const name of FUNCTIONS) bundles.set(name, (await bundle(name, folder)).path);
  const start = (name: FunctionName) => deployed(bundles.get(name) ?? "", env(), clock);
  for (const name of SERVING) functions[name] = start(name);
  const gateway = await openGateway(REGION, functions);
  place.url = gateway.url;
  for (const name of ["lifecycle", "doorbell", "outbox", "events", "cron"] as const) functions[name] = start(name);
  await functions.cron.invoke({ duty: "catalog" });
  const ec2 = new EC2Client({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
  const hostRole = namesOf(DEPLOYMENT).hostRole;
  const machines = watchMachines({ ec2, gateway, region: REGION, account: ACCOUNT, hostRole });
  place.machines = machines;
  const stream = connect(
    { endpoint: moto.url, region: REGION, table: made.table, queue: made.queue },
    functions.doorbell,
  );
  const { token } = await bootstrap(gateway);
  return {
    url: gateway.url,
    api: client({ endpoint: gateway.url, token, version: "test" }),
    token,
    functions,
    edge,
    moto,
    ec2,
    gateway,
    stream,
    machines,
    clock,
    close: async () => {
      await stream.close();
      await machines.close();
      await gateway.close();
      for (const name of FUNCTIONS) await functions[name].kill();
      ec2.destroy();
      await edge.close();
      await moto.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first admin's token, by somebody who has credentials of the account. */
async function bootstrap(gateway: Gateway): Promise<Created> {
  const credentials = { accessKeyId: "AKIAADMIN", secretAccessKey: "of an admin" };
  const arn = `arn:aws:iam::${ACCOUNT}:user/ada`;
  gateway.principals.set(credentials.accessKeyId, { arn, credentials });
  const url = `${gateway.url}/v1/bootstrap`;
  const body = JSON.stringify({ actor: "ada" });
  const headers = { "content-type": "application/json" };
  const signing = { credentials, region: REGION, service: "execute-api", at: Date.now() };
  const signed = await awsHeaders({ method: "POST", url, headers, body }, signing);
  const answer = await fetch(url, { method: "POST", headers: signed, body });
  if (!answer.ok) throw new Error(`no first token: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Created;
}
