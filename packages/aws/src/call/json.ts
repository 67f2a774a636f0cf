/** Calls to the services that speak AWS's JSON protocols. */
import type { Problem } from "../fault.ts";
import { type Aws, hostOf } from "./aws.ts";
import { type Answer, type Protocol, send } from "./send.ts";

export type JsonService = "dynamodb" | "states" | "ssm" | "sqs" | "pricing" | "servicequotas";

interface Dialect {
  readonly target: string;
  readonly version: "1.0" | "1.1";
  /** Longest wait before the second attempt, and longest time of each attempt, in ms. */
  readonly base: number;
  readonly timeout: number;
}

const slow = { base: 200, timeout: 20_000 };
/** Prefixes of `X-Amz-Target` and versions, from the services' API models. */
const dialects: Readonly<Record<JsonService, Dialect>> = {
  dynamodb: { target: "DynamoDB_20120810", version: "1.0", base: 50, timeout: 5000 },
  states: { target: "AWSStepFunctions", version: "1.0", ...slow },
  sqs: { target: "AmazonSQS", version: "1.0", ...slow },
  ssm: { target: "AmazonSSM", version: "1.1", ...slow },
  pricing: { target: "AWSPriceListService", version: "1.1", ...slow },
  servicequotas: { target: "ServiceQuotasV20190624", version: "1.1", ...slow },
};

export interface JsonOptions {
  /** In all. Whoever says so also says that it does no harm when the operation happens more than once. */
  readonly attempts?: number;
  /** Of each attempt, in ms. */
  readonly timeout?: number | undefined;
}

const ATTEMPTS = 4;

/**
 * One operation of one service. Without `attempts`, requests whose outcome nobody knows are repeated only when they read,
 * or when AWS itself knows the second for the first.
 * @param input as the service's API has it
 * @returns the answer as the service's API has it; an empty one is `{}`
 * @throws Fault
 */
export async function json(
  aws: Aws,
  service: JsonService,
  operation: string,
  input: object,
  options: JsonOptions = {},
): Promise<Record<string, unknown>> {
  const dialect = dialects[service];
  const region = service === "pricing" ? pricingRegion(aws.region) : aws.region;
  const outgoing = {
    service,
    operation,
    region,
    method: "POST",
    origin: aws.endpoint ?? `https://${hostOf(service === "pricing" ? "api.pricing" : service, region)}`,
    path: "/",
    query: {},
    headers: {
      "content-type": `application/x-amz-json-${dialect.version}`,
      "x-amz-target": `${dialect.target}.${operation}`,
    },
    body: JSON.stringify(input),
  };
  return await send(aws, outgoing, protocolOf(operation), {
    attempts: options.attempts ?? ATTEMPTS,
    timeout: options.timeout ?? dialect.timeout,
    base: dialect.base,
    repeatable: options.attempts !== undefined || isRepeatable(operation, input),
  });
}

/** Prices are told in few regions. */
const pricingRegion = (region: string): string => (region.startsWith("cn-") ? "cn-northwest-1" : "us-east-1");

const READS = /^(Batch|Transact)?(Get|Describe|List|Query|Scan)/;

/** Step Functions takes a second start of the same name and input for the first; DynamoDB knows transactions by token. */
const isRepeatable = (operation: string, input: object): boolean =>
  READS.test(operation) || operation === "StartExecution" || "ClientRequestToken" in input;

const protocolOf = (operation: string): Protocol<Record<string, unknown>> => ({
  read: ({ body }) => (body.length === 0 ? {} : recordOf(JSON.parse(body.toString()))),
  problem,
  units: value => unitsOf(operation, value.ConsumedCapacity),
});

function recordOf(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new Error("the answer is no object");
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The error's code stands between `#` and `:`, in the body or in a header, either way round. */
function problem({ status, headers, body }: Answer): Problem {
  const parsed = parse(body);
  const named = headers["x-amzn-errortype"] ?? parsed.__type ?? parsed.code ?? "";
  const code = String(named).split(":", 1)[0]?.split("#").at(-1) ?? "";
  const message = parsed.message ?? parsed.Message ?? "";
  return { code: code || `Http${status}`, message: String(message), body: parsed };
}

function parse(body: Buffer): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(body.toString()));
  } catch {
    // A balancer answers in HTML: the status has to do.
    return {};
  }
}

function unitsOf(operation: string, consumed: unknown): { readUnits?: number; writeUnits?: number } {
  const list = [consumed].flat().filter(isRecord);
  if (list.length === 0) return {};
  const sum = (...names: readonly string[]) =>
    list.reduce(
      (total, one) => total + Number(names.map(name => one[name]).find(units => units !== undefined) ?? 0),
      0,
    );
  const apart = list.some(one => "ReadCapacityUnits" in one || "WriteCapacityUnits" in one);
  if (apart) return { readUnits: sum("ReadCapacityUnits"), writeUnits: sum("WriteCapacityUnits") };
  const units = sum("CapacityUnits");
  return READS.test(operation) ? { readUnits: units } : { writeUnits: units };
}
