/** What runs by itself: state machines, the stream, rules, schedules. */
import { definitions } from "@muster/core/machine/definitions.ts";
import aslValidator from "asl-validator";
import type { Resource } from "../harness/graph.ts";
import { isObject, type Values } from "../harness/values.ts";
import { at, type Law, list, same, statements, unless, type View } from "../harness/view.ts";

const nameOf = (view: View, { inputs }: Resource): string => String(inputs.name).slice(view.deployment.length + 1);
// biome-ignore lint/suspicious/noTemplateCurlyInString: the definition's own placeholder
const FUNCTION = "${LifecycleFunction}";
const fnArn = (view: View, name: string): string => view.arn("lambda", `function:${view.deployment}-${name}`);

const machinesAreTheDefinitions: Law = view => [
  ...same(
    view
      .of("sfn/stateMachine:StateMachine")
      .map(one => nameOf(view, one))
      .sort(),
    Object.keys(definitions).sort(),
    "the state machines",
  ),
  ...view.of("sfn/stateMachine:StateMachine").flatMap(machine => {
    const text = String(machine.inputs.definition);
    const name = nameOf(view, machine);
    const wanted = definitions[name as keyof typeof definitions];
    const { isValid, errors } = aslValidator(JSON.parse(text) as object);
    return [
      ...unless(isValid, `${name} is no Amazon States Language: ${JSON.stringify(errors)}`),
      ...same(
        JSON.parse(text),
        JSON.parse(JSON.stringify(wanted).replaceAll(FUNCTION, fnArn(view, "lifecycle"))),
        name,
      ),
      ...same(at(machine.inputs, "loggingConfiguration.level"), "ERROR", `what ${name} logs`),
    ];
  }),
];

const arnsIn = (value: unknown): readonly string[] => {
  if (typeof value === "string") return /^arn:aws:(?!states:::)/.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(arnsIn);
  return isObject(value) ? Object.values(value).flatMap(arnsIn) : [];
};

/** Everything that a machine calls is in its role, and nothing else is. */
const machinesMayCallWhatTheyCall: Law = view =>
  view.of("sfn/stateMachine:StateMachine").flatMap(machine => {
    const role = view.of("iam/role:Role").find(({ id }) => String(machine.inputs.roleArn).endsWith(`/${id}`));
    const called = [...new Set(arnsIn(JSON.parse(String(machine.inputs.definition))))];
    const may =
      role === undefined ? [] : view.may(role).filter(({ Action }) => list(Action).includes("lambda:InvokeFunction"));
    return same(
      may.flatMap(({ Resource }) => list(Resource)),
      called.flatMap(arn => [arn, `${arn}:*`]),
      `what ${machine.name} may call`,
    );
  });

/** What reads the table's stream, and a queue of its own beside it. */
const READERS = [
  { name: "doorbell", stream: "DoorbellStream", from: "DoorbellRings", queue: "Rings", lost: "DoorbellDead", tries: 3 },
  // For as long as the stream keeps it: nothing else would find it.
  {
    ...{ name: "outbox", stream: "OutboxStream", from: "OutboxDeliveries", queue: "Deliveries" },
    ...{ lost: "OutboxDead", tries: -1 },
  },
] as const;

const streamIsRead: Law = view => READERS.flatMap(reader => isRead(view, reader));

const isRead = (view: View, reader: (typeof READERS)[number]): readonly string[] => {
  const table = view.one("dynamodb/table:Table").id;
  const { inputs: stream } = view.one("lambda/eventSourceMapping:EventSourceMapping", reader.stream);
  const { inputs: rings } = view.one("lambda/eventSourceMapping:EventSourceMapping", reader.from);
  const queue = view.one("sqs/queue:Queue", reader.queue);
  const dead = view.one("sqs/queue:Queue", `${reader.queue}Dead`);
  const patience = Number(view.functions.find(({ name }) => name === reader.name)?.resource.inputs.timeout) * 6;
  const redrive = JSON.parse(String(queue.inputs.redrivePolicy ?? "{}")) as unknown;
  return [
    ...unless(String(stream.eventSourceArn).includes(`:table/${table}/stream/`), `${reader.name} hears another table`),
    ...same(rings.eventSourceArn, view.queue(queue), `the queue of ${reader.name}`),
    ...same(
      [stream.functionName, rings.functionName],
      [fnArn(view, reader.name), fnArn(view, reader.name)],
      "who listens",
    ),
    ...same(
      [stream.batchSize, stream.bisectBatchOnFunctionError, stream.maximumRetryAttempts],
      [100, true, reader.tries],
      "how the stream is read",
    ),
    ...unless(Number(stream.maximumRecordAgeInSeconds) > 0, "a ring is tried for as long as the stream keeps it"),
    ...same(
      [stream, rings].map(one => one.functionResponseTypes),
      [["ReportBatchItemFailures"], ["ReportBatchItemFailures"]],
      "how failures are told",
    ),
    ...same(
      at(stream, "destinationConfig.onFailure.destinationArn"),
      view.queue(view.one("sqs/queue:Queue", reader.lost)),
      "where lost batches go",
    ),
    ...same(redrive, { deadLetterTargetArn: view.queue(dead), maxReceiveCount: 3 }, "where rings go that fail"),
    ...unless(Number(queue.inputs.visibilityTimeoutSeconds) >= patience, "a ring is given to two at a time"),
  ];
};

const WANTED_EVENTS = [
  "EC2 Command Invocation Status-change Notification",
  "EC2 Instance Rebalance Recommendation",
  "EC2 Instance State-change Notification",
  "EC2 Spot Instance Interruption Warning",
];

/** Each rule reaches the function, may call it, is tried again, and leaves what failed where it is found. */
const eventsArrive: Law = view => {
  const dead = view.one("sqs/queue:Queue", "EventsDead");
  const policy = view.of("sqs/queuePolicy:QueuePolicy").find(({ inputs }) => inputs.queueUrl === dead.id);
  const senders = statements(policy?.inputs.policy ?? '{"Statement":[]}').flatMap(({ Condition }) =>
    list(Condition?.ArnEquals?.["aws:SourceArn"] ?? []),
  );
  const rules = view.of("cloudwatch/eventRule:EventRule");
  const told = rules.flatMap(
    ({ inputs }) => at(JSON.parse(String(inputs.eventPattern)), "detail-type") as readonly string[],
  );
  return [
    ...same([...told].sort(), WANTED_EVENTS, "the events"),
    ...rules.flatMap(rule => {
      const arn = view.arn("events", `rule/${rule.id}`);
      const target = view
        .of("cloudwatch/eventTarget:EventTarget")
        .find(({ inputs }) => inputs.rule === rule.id)?.inputs;
      const allowed = view.of("lambda/permission:Permission").some(({ inputs }) => inputs.sourceArn === arn);
      return [
        ...same(target?.arn, fnArn(view, "events"), `who hears ${rule.name}`),
        ...same(at(target, "deadLetterConfig.arn"), view.queue(dead), `where lost events of ${rule.name} go`),
        ...unless(Number(at(target, "retryPolicy.maximumRetryAttempts")) > 0, `${rule.name} is tried once`),
        ...unless(allowed, `${rule.name} may not call the function`),
        ...unless(senders.includes(arn), `${rule.name} may not use the dead-letter queue`),
      ];
    }),
  ];
};

const DUTIES = {
  due: "rate(1 minute)",
  orphans: "rate(5 minutes)",
  catalog: "rate(60 minutes)",
  secrets: "rate(60 minutes)",
  unused: "rate(60 minutes)",
  outbox: "rate(1 minute)",
};
/** Who does what the cron does not. */
const DONE_BY: Readonly<Record<string, string>> = { outbox: "outbox" };
const dutyOf = (inputs: Values): string => String(at(JSON.parse(String(at(inputs, "target.input"))), "duty"));

const dutiesAreDone: Law = view => {
  const schedules = view.of("scheduler/schedule:Schedule");
  const dead = view.queue(view.one("sqs/queue:Queue", "CronDead"));
  const role = view.one("iam/role:Role", "SchedulerRole");
  const found = Object.fromEntries(schedules.map(({ inputs }) => [dutyOf(inputs), inputs.scheduleExpression]));
  const may = view.may(role).flatMap(({ Action, Resource }) => list(Action).map(action => [action, ...list(Resource)]));
  return [
    ...same(Object.entries(found).sort(), Object.entries(DUTIES).sort(), "the duties"),
    ...schedules.flatMap(({ name, inputs }) => [
      ...same(at(inputs, "target.arn"), fnArn(view, DONE_BY[dutyOf(inputs)] ?? "cron"), `who does ${name}`),
      ...same(at(inputs, "target.deadLetterConfig.arn"), dead, `where lost runs of ${name} go`),
      ...unless(String(at(inputs, "target.roleArn")).endsWith(`/${role.id}`), `${name} has another role`),
    ]),
    ...same(
      may.filter(([action]) => !String(action).startsWith("kms:")),
      [
        ["lambda:InvokeFunction", fnArn(view, "cron"), fnArn(view, "outbox")],
        ["sqs:SendMessage", dead],
      ],
      "what the scheduler may do",
    ),
  ];
};

/** What is called without anybody waiting leaves its failures in a queue. */
const failuresAreKept: Law = view =>
  ["events", "cron", "outbox"].flatMap(name => {
    const config = view
      .of("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
      .find(({ inputs }) => inputs.functionName === `${view.deployment}-${name}`);
    return same(
      at(config?.inputs, "destinationConfig.onFailure.destination"),
      view.arn("sqs", `${view.deployment}-${name}-dead`),
      `where failures of ${name} go`,
    );
  });

/** A kick says nothing but kick: there is no parameter that a caller could fill with a command. */
const kickSaysNothing: Law = view => {
  const { inputs } = view.one("ssm/document:Document");
  const content = JSON.parse(String(inputs.content)) as Record<string, unknown>;
  return [
    ...same(content.parameters, undefined, "the kick's parameters"),
    ...unless(!String(inputs.content).includes("{{"), "the kick fills something in"),
    ...same(at(content, "mainSteps.0.inputs.runCommand"), ["/usr/local/bin/muster-agent kick"], "what a kick runs"),
    ...same(list(content.mainSteps as unknown[]).length, 1, "the steps of a kick"),
  ];
};

export const machines = {
  machinesAreTheDefinitions,
  machinesMayCallWhatTheyCall,
  streamIsRead,
  eventsArrive,
  dutiesAreDone,
  failuresAreKept,
  kickSaysNothing,
} as const;
