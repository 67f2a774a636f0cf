/** What AWS's provider would answer: attributes that only exist once a thing does, and its functions. */
import { createHash } from "node:crypto";
import type { Values } from "./values.ts";

export const ACCOUNT = "123456789012";

const hash = (text: string, length: number): string => createHash("sha256").update(text).digest("hex").slice(0, length);

export interface Asked {
  readonly type: string;
  /** Its name in the program. */
  readonly id: string;
  readonly inputs: Values;
  readonly region: string;
}

/** Its name in AWS: as asked for, or as Pulumi would make one up. */
const nameOf = ({ id, inputs }: Asked): string => String(inputs.name ?? inputs.bucket ?? `${id}-${hash(id, 7)}`);

type Answer = (asked: Asked, name: string) => Values;

const arn =
  (service: string, rest: (name: string, asked: Asked) => string, id: "name" | "arn" = "name"): Answer =>
  (asked, name) => {
    const made = `arn:aws:${service}:${asked.region}:${ACCOUNT}:${rest(name, asked)}`;
    return { id: id === "arn" ? made : name, name, arn: made };
  };

/** IAM is in no region. */
const iam =
  (kind: string): Answer =>
  ({ inputs }, name) => ({ id: name, name, arn: `arn:aws:iam::${ACCOUNT}:${kind}${inputs.path ?? "/"}${name}` });

const answers: Readonly<Record<string, Answer>> = {
  "aws:dynamodb/table:Table": (asked, name) => {
    const made = `arn:aws:dynamodb:${asked.region}:${ACCOUNT}:table/${name}`;
    return {
      id: name,
      name,
      arn: made,
      ...(asked.inputs.streamEnabled === true && { streamArn: `${made}/stream/2026-01-01T00:00:00.000` }),
    };
  },
  "aws:s3/bucket:Bucket": (_, name) => ({ id: name, bucket: name, arn: `arn:aws:s3:::${name}` }),
  "aws:s3/bucketObjectv2:BucketObjectv2": ({ inputs }) => ({ id: inputs.key, key: inputs.key }),
  "aws:lambda/function:Function": arn("lambda", name => `function:${name}`),
  "aws:iam/role:Role": iam("role"),
  "aws:iam/instanceProfile:InstanceProfile": iam("instance-profile"),
  "aws:sfn/stateMachine:StateMachine": arn("states", name => `stateMachine:${name}`, "arn"),
  "aws:sns/topic:Topic": arn("sns", name => name, "arn"),
  "aws:cloudwatch/logGroup:LogGroup": arn("logs", name => `log-group:${name}`),
  "aws:cloudwatch/eventRule:EventRule": arn("events", name => `rule/${name}`),
  "aws:cloudwatch/metricAlarm:MetricAlarm": arn("cloudwatch", name => `alarm:${name}`),
  "aws:scheduler/scheduleGroup:ScheduleGroup": arn("scheduler", name => `schedule-group/${name}`),
  "aws:scheduler/schedule:Schedule": arn("scheduler", (name, { inputs }) => `schedule/${inputs.groupName}/${name}`),
  "aws:ssm/document:Document": arn("ssm", name => `document/${name}`),
  "aws:sqs/queue:Queue": (asked, name) => {
    const url = `https://sqs.${asked.region}.amazonaws.com/${ACCOUNT}/${name}`;
    return { id: url, url, name, arn: `arn:aws:sqs:${asked.region}:${ACCOUNT}:${name}` };
  },
  "aws:apigatewayv2/api:Api": ({ id, region }) => {
    const api = hash(id, 10);
    return {
      id: api,
      executionArn: `arn:aws:execute-api:${region}:${ACCOUNT}:${api}`,
      apiEndpoint: `https://${api}.execute-api.${region}.amazonaws.com`,
    };
  },
  "random:index/randomBytes:RandomBytes": ({ id }) => {
    const bytes = createHash("sha256").update(`random ${id}`).digest();
    return { id, base64: bytes.toString("base64"), hex: bytes.toString("hex") };
  },
};

/** Types whose only attribute that anybody reads is their id. */
const plainIds: Answer = ({ id }) => ({ id: `${id}-id` });

export const made = (asked: Asked): Values => (answers[asked.type] ?? plainIds)(asked, nameOf(asked));

interface Stated {
  readonly effect?: string;
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
  readonly principals?: readonly { readonly type: string; readonly identifiers: readonly string[] }[];
  readonly conditions?: readonly {
    readonly test: string;
    readonly variable: string;
    readonly values: readonly string[];
  }[];
}

/** Whoever it is, as the provider writes it: everybody is a star and no list. */
const principal = (principals: NonNullable<Stated["principals"]>): unknown =>
  principals.some(({ type }) => type === "*")
    ? "*"
    : Object.fromEntries(principals.map(({ type, identifiers }) => [type, identifiers]));

const statement = ({ effect, actions, resources, principals, conditions = [] }: Stated): Values => {
  const Condition: Record<string, Record<string, readonly string[]>> = {};
  for (const { test, variable, values } of conditions) Condition[test] = { ...Condition[test], [variable]: values };
  return {
    Effect: effect ?? "Allow",
    ...(actions && { Action: actions }),
    ...(resources && { Resource: resources }),
    ...(principals && { Principal: principal(principals) }),
    ...(conditions.length > 0 && { Condition }),
  };
};

const functions: Readonly<Record<string, (inputs: Values, region: string) => Values>> = {
  "aws:index/getRegion:getRegion": (_, region) => ({ region, name: region, id: region }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com", id: "aws" }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: ACCOUNT, id: ACCOUNT }),
  "aws:iam/getPolicyDocument:getPolicyDocument": ({ statements }) => {
    const stated = (statements ?? []) as readonly Stated[];
    const json = JSON.stringify({ Version: "2012-10-17", Statement: stated.map(statement) });
    // The provider says no statements where there are none, and SST then makes no policy.
    return { id: "policy", json, ...(stated.length > 0 && { statements }) };
  },
};

/** @throws Error for a function that nobody has taught it: a guess would be worse. */
export function call(token: string, inputs: Values, region: string): Values {
  const known = functions[token];
  if (known === undefined) throw new Error(`the harness has no answer of the provider's function ${token}`);
  return known(inputs, region);
}
