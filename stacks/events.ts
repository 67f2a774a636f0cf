/** What EC2 and SSM tell of their own accord. A lost event does no harm: observation and deadlines find the same. */
import { idOf } from "./functions.ts";
import type { Here } from "./here.ts";
import { deadLetters, queuePolicy } from "./queue.ts";

/** Rules cannot ask for tags, so these fire for every machine of the account; the function knows its own. */
const patterns = (at: Here) => ({
  "instance-state": { source: ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"] },
  interruption: { source: ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"] },
  rebalance: { source: ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"] },
  "failed-kick": {
    source: ["aws.ssm"],
    "detail-type": ["EC2 Command Invocation Status-change Notification"],
    detail: { "document-name": [at.names.kickDocument], status: ["Failed", "TimedOut", "Undeliverable"] },
  },
});

/** @returns the queue of events that could not be handled. */
export function events(at: Here, to: sst.aws.Function): aws.sqs.Queue {
  const dead = deadLetters(at, "EventsDead", "events");
  const rules = Object.entries(patterns(at)).map(([name, pattern]) => rule(at, name, pattern, to, dead));
  queuePolicy("EventsDeadPolicy", dead, [{ service: "events.amazonaws.com", sources: rules.map(({ arn }) => arn) }]);
  new aws.lambda.FunctionEventInvokeConfig("EventsRetries", {
    functionName: to.name,
    maximumRetryAttempts: 2,
    maximumEventAgeInSeconds: 3600,
    destinationConfig: { onFailure: { destination: dead.arn } },
  });
  return dead;
}

function rule(
  at: Here,
  name: string,
  pattern: object,
  to: sst.aws.Function,
  dead: aws.sqs.Queue,
): aws.cloudwatch.EventRule {
  const made = new aws.cloudwatch.EventRule(`${idOf(name)}Rule`, {
    name: `${at.deployment}-${name}`,
    eventPattern: JSON.stringify(pattern),
  });
  new aws.lambda.Permission(`${idOf(name)}Permission`, {
    action: "lambda:InvokeFunction",
    function: to.name,
    principal: "events.amazonaws.com",
    sourceArn: made.arn,
  });
  new aws.cloudwatch.EventTarget(`${idOf(name)}Target`, {
    rule: made.name,
    arn: to.arn,
    retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 8 },
    deadLetterConfig: { arn: dead.arn },
  });
  return made;
}
