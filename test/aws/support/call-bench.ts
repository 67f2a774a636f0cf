/** What tests of calls share: a server of each test's own, a caller that counts, and answers that fail. */
import type { Aws, Called } from "@muster/aws/call/aws.ts";
import { type JsonOptions, json } from "@muster/aws/call/json.ts";
import { Fault } from "@muster/aws/fault.ts";
import { type Answering, type CallServer, say, startCallServer } from "./call-server.ts";

export interface Bench {
  readonly server: CallServer;
  readonly aws: Aws;
  readonly calls: Called[];
  /** May always be repeated. */
  read(options?: JsonOptions): Promise<Record<string, unknown>>;
  /** May not, unless the options say so. */
  write(options?: JsonOptions): Promise<Record<string, unknown>>;
}

/** Each test has its own, for budgets and clocks are kept per endpoint. */
export async function makeBench(): Promise<Bench> {
  const server = await startCallServer();
  const calls: Called[] = [];
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "token" };
  const onCall = (call: Called) => calls.push(call);
  const aws: Aws = { region: "us-east-2", endpoint: server.url, credentials: async () => keys, onCall };
  return {
    server,
    aws,
    calls,
    read: options => json(aws, "dynamodb", "GetItem", { TableName: "t" }, options),
    write: options => json(aws, "dynamodb", "PutItem", { TableName: "t" }, options),
  };
}

export async function faultIn(asking: Promise<unknown>): Promise<Fault> {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw new Error("no fault came", { cause: error });
  return error;
}

export const failure = (status: number, code: string, more: object = {}): Answering =>
  say(status, { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: "said so", ...more });
export const THROTTLED = failure(400, "ThrottlingException");
export const BROKEN = failure(500, "InternalServerError");
