/**
 * OURS, not moto's: moto ignores client tokens, so what rests on this file proves that Muster sends them rightly, and
 * nothing about how AWS treats them. From their references: the same token with the same parameters gets the first answer
 * again and applies nothing; with other parameters it is refused as IdempotentParameterMismatch. A call that was refused
 * leaves no token behind. Tokens are kept for ever here (EC2: for a day after the instance ended; DynamoDB: ten minutes).
 */
import { AwsError, type Reply } from "./edge-errors.ts";
import { type Call, formOf, type Request } from "./edge-identify.ts";

/** Answers the call, or calls `forward`. */
export type Layer = (call: Call, request: Request, forward: () => Promise<Reply>) => Promise<Reply>;

interface Entry {
  readonly params: string;
  readonly reply: Promise<Reply>;
}

const readers: Readonly<Record<string, (request: Request) => { token: string | undefined; params: string }>> = {
  "ec2.RunInstances": request => {
    const form = formOf(request);
    return {
      token: form.get("ClientToken") ?? undefined,
      params: [...form]
        .map(pair => pair.join("="))
        .toSorted()
        .join("&"),
    };
  },
  "dynamodb.TransactWriteItems": request => {
    const { ClientRequestToken: token, ...params } = JSON.parse(request.body.toString()) as Record<string, unknown>;
    return { token: typeof token === "string" ? token : undefined, params: JSON.stringify(params) };
  },
};

export function createClientTokens(): Layer {
  const known = new Map<string, Entry>();
  return async ({ service, operation }, request, forward) => {
    const name = `${service}.${operation}`;
    const { token, params } = readers[name]?.(request) ?? { token: undefined, params: "" };
    if (token === undefined) return forward();
    const key = `${name} ${token}`;
    const first = known.get(key);
    if (first !== undefined && first.params !== params) throw mismatch(service);
    if (first !== undefined) return first.reply;
    const reply = forward();
    known.set(key, { params, reply });
    // Only what was applied is remembered.
    const settled = await reply.catch((error: unknown) => {
      known.delete(key);
      throw error;
    });
    if (settled.status >= 300) known.delete(key);
    return settled;
  };
}

const mismatch = (service: string) =>
  service === "ec2"
    ? new AwsError("IdempotentParameterMismatch", "The client token was used with other parameters.")
    : new AwsError("IdempotentParameterMismatchException", "The token was used with other parameters.");
