/** What somebody should hear of: whatever the system could not put right by itself. */
import { type FunctionName, METRICS } from "@muster/aws/places.ts";
import { idOf } from "./functions.ts";
import type { Here } from "./here.ts";
import type { Machines } from "./lifecycle.ts";

export interface Watched {
  readonly functions: Readonly<Record<FunctionName, sst.aws.Function>>;
  readonly machines: Machines;
  readonly dead: Readonly<Record<string, aws.sqs.Queue>>;
  readonly api: sst.aws.ApiGatewayV2;
}

interface Measure {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Record<string, $util.Input<string>>;
  readonly statistic?: "Sum" | "Maximum";
  /** More than this in any five minutes; more than none when absent. */
  readonly above?: number;
  /** Rings when nothing is measured, instead. */
  readonly whenSilent?: true;
}

/** What each number that the functions log means to whoever is told. */
const counted: Readonly<Record<(typeof METRICS.names)[number], string>> = {
  OrphansFound: "Machines without an owner were found; they are ended.",
  OrphansHeld: "Machines without an owner are held by their tag muster:hold, and cost what they cost.",
  DrainingTooLong: "A cluster does not come down.",
  HostsBraked:
    "Very many hosts are silent at once: no more of them are given up for now. Is something wrong with the network?",
  DeadLetters: "Something could not be done after all its tries; it can be replayed.",
};

export function alarms(at: Here, { functions, machines, dead, api }: Watched): aws.sns.Topic {
  const topic = new aws.sns.Topic("Alarms", { name: `${at.deployment}-alarms`, kmsMasterKeyId: at.options.kmsKey });
  if (at.options.alarmEmail !== undefined)
    new aws.sns.TopicSubscription("AlarmEmail", {
      topic: topic.arn,
      protocol: "email",
      endpoint: at.options.alarmEmail,
    });
  const watch = (name: string, description: string, measure: Measure) => alarm(at, topic, name, description, measure);

  for (const [name, { arn }] of Object.entries(machines)) {
    const executions = { namespace: "AWS/States", dimensions: { StateMachineArn: arn } };
    watch(`${name}-failed`, "An execution failed; the sweep goes on with its cluster.", {
      ...executions,
      metricName: "ExecutionsFailed",
    });
    // Failures of its steps are caught and tried again: an execution that never gets on ends this way.
    watch(`${name}-timed-out`, "An execution came to its time limit; the sweep goes on with its cluster.", {
      ...executions,
      metricName: "ExecutionsTimedOut",
    });
  }
  for (const [name, { name: FunctionName }] of Object.entries(functions))
    watch(`${name}-errors`, "The function threw.", {
      namespace: "AWS/Lambda",
      metricName: "Errors",
      dimensions: { FunctionName },
    });
  watch("cron-silent", "The sweep does not run: nothing stops what is idle, and nobody looks for orphans.", {
    namespace: "AWS/Lambda",
    metricName: "Invocations",
    dimensions: { FunctionName: functions.cron.name },
    whenSilent: true,
  });
  watch("doorbell-late", "Changes wait more than a minute for the doorbell.", {
    namespace: "AWS/Lambda",
    metricName: "IteratorAge",
    dimensions: { FunctionName: functions.doorbell.name },
    statistic: "Maximum",
    above: 60_000,
  });
  watch("outbox-late", "Events wait more than a minute until others are told of them.", {
    namespace: "AWS/Lambda",
    metricName: "IteratorAge",
    dimensions: { FunctionName: functions.outbox.name },
    statistic: "Maximum",
    above: 60_000,
  });
  for (const [name, { name: QueueName }] of Object.entries(dead))
    watch(`${name}-dead`, "Something could not be done after all its tries; it can be replayed.", {
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName },
      statistic: "Maximum",
    });
  for (const metricName of METRICS.names)
    watch(metricName, counted[metricName], {
      namespace: METRICS.namespace,
      metricName,
      dimensions: { deployment: at.deployment },
    });
  watch("api-5xx", "The API answered with server errors.", {
    namespace: "AWS/ApiGateway",
    metricName: "5xx",
    dimensions: { ApiId: api.nodes.api.id },
    above: 5,
  });
  return topic;
}

function alarm(at: Here, topic: aws.sns.Topic, name: string, alarmDescription: string, measure: Measure): void {
  const { above = 0, statistic = "Sum", whenSilent, ...metric } = measure;
  new aws.cloudwatch.MetricAlarm(`${idOf(name)}Alarm`, {
    name: `${at.deployment}-${name}`,
    alarmDescription,
    ...metric,
    statistic,
    period: 300,
    evaluationPeriods: 1,
    ...(whenSilent
      ? { threshold: 1, comparisonOperator: "LessThanThreshold", treatMissingData: "breaching" }
      : // No executions, no errors, no messages: nothing is measured, and all is well.
        { threshold: above, comparisonOperator: "GreaterThanThreshold", treatMissingData: "notBreaching" }),
    alarmActions: [topic.arn],
    okActions: [topic.arn],
  });
}
