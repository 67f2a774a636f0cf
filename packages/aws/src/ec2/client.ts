/** The EC2 client: the SDK's, with limits on time, its calls counted, and no retry of its own where a call changes something. */
import { EC2Client, type EC2ClientConfig } from "@aws-sdk/client-ec2";
import type { Aws } from "../call/aws.ts";
import { faultOf } from "../fault/sdk.ts";

/** One attempt of a call may take so long, in ms. */
const REQUEST = 20_000;
const CONNECT = 3_000;
/** How often a call that only reads is tried, with full jitter between. */
const READ_ATTEMPTS = 3;

type AwsCredentialIdentity = Exclude<EC2ClientConfig["credentials"], ((...of: never) => unknown) | undefined>;

export interface Ec2 {
  /** For calls that only read. */
  readonly reads: EC2Client;
  /** For calls that change something. Once: whoever asked asks again, and knows what the call may have done. */
  readonly writes: EC2Client;
}

/** @param timeout of one attempt, in ms. */
export function ec2Of(aws: Aws, timeout = REQUEST): Ec2 {
  return { reads: clientOf(aws, timeout, READ_ATTEMPTS), writes: clientOf(aws, timeout, 1) };
}

function clientOf(aws: Aws, timeout: number, maxAttempts: number): EC2Client {
  // A connection that died while its function was frozen costs a repeat; where there is none, it would cost the call.
  const keepAlive = maxAttempts > 1;
  const client = new EC2Client({
    region: aws.region,
    credentials: () => credentialsOf(aws),
    maxAttempts,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT, timeout),
      requestTimeout: timeout,
      // An answer may stop in its middle.
      socketTimeout: timeout,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive },
      httpsAgent: { keepAlive },
    },
    ...(aws.endpoint !== undefined && { endpoint: aws.endpoint }),
  });
  count(client, aws);
  return client;
}

/** Past its time at once, so that the client asks for it each time: whoever gives credentials remembers them, and renews them. */
async function credentialsOf(aws: Aws): Promise<AwsCredentialIdentity> {
  const { sessionToken, ...key } = await aws.credentials();
  return { ...key, expiration: new Date(0), ...(sessionToken !== undefined && { sessionToken }) };
}

function count(client: EC2Client, aws: Aws): void {
  client.middlewareStack.add(
    (next, context) => async args => {
      const call = { service: "ec2", operation: operationOf(context.commandName), attempt: attemptOf(args.request) };
      const answered = await next(args).catch((error: unknown) => {
        aws.onCall?.({ ...call, status: 0 });
        throw error;
      });
      aws.onCall?.({ ...call, status: statusOf(answered.response) });
      return answered;
    },
    { step: "deserialize", priority: "low", name: "counted" },
  );
}

const operationOf = (commandName: string | undefined): string => (commandName ?? "").replace(/Command$/, "");

/** The retrying middleware says in a header which attempt this is. */
function attemptOf(request: unknown): number {
  const headers = (request as { readonly headers?: Readonly<Record<string, string>> }).headers;
  return Number(/attempt=(\d+)/.exec(headers?.["amz-sdk-request"] ?? "")?.[1] ?? 1);
}

const statusOf = (response: unknown): number => (response as { readonly statusCode?: number }).statusCode ?? 0;

/** What the call answered. @throws Fault */
export async function answerOf<T>(operation: string, sent: Promise<T>): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    throw faultOf(error, operation);
  }
}
