/** The functions: how they are built, what they are told, what is not to be seen, and who hears when they fail. */
import { createHash } from "node:crypto";
import { type FunctionName, METRICS } from "@muster/aws/places.ts";
import { Doorbell, Fleet, Muster, Outbox } from "@muster/aws/settings.ts";
import type * as z from "zod";
import type { Values } from "../harness/values.ts";
import { at, type Law, list, same, unless, type View } from "../harness/view.ts";

/** Seconds that each may take at most: API Gateway's patience, a state machine's, the queue's. */
const PATIENCE: Readonly<Record<FunctionName, number>> = {
  api: 30,
  config: 30,
  admin: 30,
  signin: 30,
  hooks: 10,
  agent: 30,
  lifecycle: 90,
  doorbell: 60,
  outbox: 60,
  events: 60,
  cron: 300,
};

const bundlesAreSmallAndNew: Law = view =>
  view.functions.flatMap(({ name, resource: { inputs }, build }) => [
    ...same(
      [inputs.runtime, inputs.architectures, inputs.memorySize],
      ["nodejs24.x", ["arm64"], 512],
      `what ${name} runs on`,
    ),
    ...same(build.handler, `functions/lambda/${name}.handler`, `the entry of ${name}`),
    ...same(build.properties.minify, true, `whether ${name} is minified`),
    ...unless(Number(inputs.timeout) <= PATIENCE[name], `${name} outlasts whoever waits for it`),
    ...same(inputs.vpcConfig, undefined, `the network of ${name}`),
  ]);

const logsEnd: Law = view => [
  // One per function and machine, and one of the API's.
  ...same(view.of("cloudwatch/logGroup:LogGroup").length, view.functions.length + 3, "the number of logs"),
  ...view
    .of("cloudwatch/logGroup:LogGroup")
    .flatMap(({ name, inputs }) =>
      same(inputs.retentionInDays, view.production ? 90 : 30, `how many days ${name} is kept`),
    ),
];

const told: Readonly<Record<FunctionName, Readonly<Record<string, z.ZodType>>>> = {
  api: { Muster },
  config: { Muster },
  admin: { Muster },
  signin: { Muster },
  hooks: { Muster },
  agent: { Muster },
  lifecycle: { Muster, Fleet },
  doorbell: { Muster, Fleet, Doorbell },
  outbox: { Muster, Outbox },
  events: { Muster, Fleet },
  cron: { Muster, Fleet },
};

/** Each is told what its settings say, no more, and what it is told exists. */
const settingsAreTold: Law = view =>
  view.functions.flatMap(({ name, build: { links } }) => [
    ...same(Object.keys(links).sort(), Object.keys(told[name]).sort(), `what ${name} is told`),
    ...Object.entries(told[name]).flatMap(([link, schema]) => {
      const parsed = schema.safeParse(links[link]);
      return unless(parsed.success, `${name} cannot read ${link}: ${parsed.error?.message}`);
    }),
  ]);

const settingsAreTrue: Law = view => {
  const links = view.functions.find(({ name }) => name === "doorbell")?.build.links;
  const { Muster: muster, Fleet: fleet, Doorbell: doorbell } = links ?? {};
  const outbox = view.functions.find(({ name }) => name === "outbox")?.build.links.Outbox;
  const objects = new Set(view.of("s3/bucketObjectv2:BucketObjectv2").map(({ inputs }) => inputs.key));
  const hashes = Object.values((fleet?.runtime ?? {}) as Record<string, string>);
  const machines = view.of("sfn/stateMachine:StateMachine").map(({ id }) => id);
  return [
    ...same(
      [muster?.table, muster?.bucket],
      [view.place.table, view.place.bucket],
      "table and bucket that functions are told",
    ),
    ...same(
      [muster?.deployment, muster?.region, muster?.account],
      [view.deployment, view.region, view.place.account],
      "where functions think they are",
    ),
    ...unless(
      String(fleet?.endpoint).includes(view.one("apigatewayv2/api:Api").id),
      `hosts are sent to ${fleet?.endpoint}`,
    ),
    ...unless(
      String(fleet?.hostProfile).endsWith(`/${view.one("iam/instanceProfile:InstanceProfile").id}`),
      `hosts get ${fleet?.hostProfile}`,
    ),
    ...same(fleet?.kickDocument, view.one("ssm/document:Document").id, "what kicks"),
    ...unless(
      hashes.length === 3 && hashes.every(hash => objects.has(`runtime/${hash}`)),
      "hosts are told of files that are not there",
    ),
    ...same([doorbell?.up, doorbell?.down].sort(), [...machines].sort(), "the machines that the doorbell starts"),
    ...same(doorbell?.rings, view.one("sqs/queue:Queue", "Rings").id, "the doorbell's queue"),
    ...same(outbox?.deliveries, view.one("sqs/queue:Queue", "Deliveries").id, "the outbox's queue"),
    ...same(outbox?.allow, view.given.outboundAllow ?? [], "whom the outbox may call beside everybody"),
  ];
};

/** The variables that SST sets, and no others: settings come by links, which are encrypted in the bundle. */
const ENVIRONMENT = ["SST_KEY", "SST_KEY_FILE", "SST_RESOURCE_App"];

/** The deployment's key is where it was made and in the links of functions: nowhere else, and nowhere in the open. */
const keyIsSecret: Law = view => {
  const bytes = createHash("sha256").update("random DeploymentKey").digest();
  const forms = [bytes.toString("base64"), bytes.toString("hex")];
  const shows = (value: unknown): boolean => forms.some(form => JSON.stringify(value ?? null).includes(form));
  const hidden = (value: unknown): unknown =>
    typeof value !== "object" || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "$secret" ? "…" : hidden(inner)]));
  return [
    ...view.functions.flatMap(({ name, resource, build }) => [
      ...same(
        Object.keys((at(resource.inputs, "environment.variables") ?? {}) as object).sort(),
        ENVIRONMENT,
        `the environment of ${name}`,
      ),
      ...unless(!shows(resource.inputs), `the key shows in ${name}`),
      ...unless(shows(build.links.Muster), `${name} does not get the key`),
    ]),
    ...unless(!shows(view.graph.outputs), "the key is an output"),
    ...view.graph.resources.flatMap(({ name, inputs, outputs }) =>
      unless(!shows(hidden([{ inputs, outputs }][0])), `the key shows in ${name}`),
    ),
  ];
};

interface Alarm {
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** An execution that catches each failure of its steps ends by its time limit. */
const ENDS_BADLY = ["ExecutionsFailed", "ExecutionsTimedOut"];

/** What must be heard of, from what there is. */
const alarming = (view: View): readonly Alarm[] => [
  ...view
    .of("sfn/stateMachine:StateMachine")
    .flatMap(({ id }) => ENDS_BADLY.map(metricName => ({ metricName, dimensions: { StateMachineArn: id } }))),
  ...view.of("lambda/function:Function").map(({ id }) => ({ metricName: "Errors", dimensions: { FunctionName: id } })),
  ...view
    .of("sqs/queue:Queue")
    .filter(({ name }) => name.endsWith("Dead"))
    .map(({ inputs }) => ({
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: String(inputs.name) },
    })),
  { metricName: "Invocations", dimensions: { FunctionName: `${view.deployment}-cron` } },
  ...["doorbell", "outbox"].map(name => ({
    metricName: "IteratorAge",
    dimensions: { FunctionName: `${view.deployment}-${name}` },
  })),
  ...METRICS.names.map(metricName => ({ metricName, dimensions: { deployment: view.deployment } })),
];

/** What should always be there rings when it is not; all else rings when there is any. */
const ringsWhen = ({ metricName }: Values): readonly string[] =>
  metricName === "Invocations" ? ["LessThanThreshold", "breaching"] : ["GreaterThanThreshold", "notBreaching"];

const alarmsAreHeard: Law = view => {
  const alarms = view.of("cloudwatch/metricAlarm:MetricAlarm");
  const topic = view.one("sns/topic:Topic").id;
  const key = ({ metricName, dimensions }: Alarm): string => JSON.stringify([metricName, dimensions]);
  const watched = new Set(alarms.map(({ inputs }) => key(inputs as unknown as Alarm)));
  const emails = view.of("sns/topicSubscription:TopicSubscription").map(({ inputs }) => inputs.endpoint);
  return [
    ...alarming(view).flatMap(one => unless(watched.has(key(one)), `nobody watches ${key(one)}`)),
    ...alarms.flatMap(({ name, inputs }) => [
      ...same(list(inputs.alarmActions ?? []), [topic], `whom ${name} tells`),
      ...same([inputs.comparisonOperator, inputs.treatMissingData], ringsWhen(inputs), `when ${name} rings`),
    ]),
    ...same(emails, view.given.email === undefined ? [] : [view.given.email], "who gets mail"),
  ];
};

export const functions = {
  bundlesAreSmallAndNew,
  logsEnd,
  settingsAreTold,
  settingsAreTrue,
  keyIsSecret,
  alarmsAreHeard,
} as const;
