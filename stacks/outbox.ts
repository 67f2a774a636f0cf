/** What is done outside: told by the table's stream, worked off from a queue. */
import { DUE_TYPES } from "@muster/core/outbox/outbox.ts";
import { secondsOf } from "./functions.ts";
import type { Here } from "./here.ts";
import { deadLetters, queue, queuePolicy } from "./queue.ts";

export interface Outside {
  readonly deliveries: aws.sqs.Queue;
  /** What nobody could be told of, and runs of the duty that failed. */
  readonly dead: Readonly<Record<"outbox" | "deliveries", aws.sqs.Queue>>;
}

/** What core's `entryFor` may answer to, by its type: an item's data is one string in the stream. */
const filter = {
  eventName: ["INSERT", "MODIFY"],
  dynamodb: {
    NewImage: { type: { S: ["event", "deadletter", ...DUE_TYPES] } },
  },
};

export function outside(at: Here): Outside {
  const lost = deadLetters(at, "OutboxDead", "outbox");
  const dead = deadLetters(at, "DeliveriesDead", "deliveries");
  // AWS asks for six times the time of the function that reads.
  const made = queue(at, "Deliveries", at.names.deliveries, dead, 6 * secondsOf("outbox"));
  queuePolicy("OutboxDeadPolicy", lost);
  queuePolicy("DeliveriesDeadPolicy", dead);
  queuePolicy("DeliveriesPolicy", made);
  return { deliveries: made, dead: { outbox: lost, deliveries: dead } };
}

/** The doorbell reads the same stream; DynamoDB advises against a third. */
export function tell(outbox: sst.aws.Function, table: sst.aws.Dynamo, to: Outside): void {
  new aws.lambda.EventSourceMapping("OutboxStream", {
    eventSourceArn: table.nodes.table.streamArn,
    functionName: outbox.arn,
    // From the beginning: what is written while this is being made is told, too.
    startingPosition: "TRIM_HORIZON",
    batchSize: 100,
    parallelizationFactor: 4,
    bisectBatchOnFunctionError: true,
    functionResponseTypes: ["ReportBatchItemFailures"],
    // Nothing else would find an event that nobody was told of: it is tried for as long as the stream keeps it.
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: 86_400,
    destinationConfig: { onFailure: { destinationArn: to.dead.outbox.arn } },
    filterCriteria: { filters: [{ pattern: JSON.stringify(filter) }] },
  });
  new aws.lambda.EventSourceMapping("OutboxDeliveries", {
    eventSourceArn: to.deliveries.arn,
    functionName: outbox.arn,
    batchSize: 10,
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: { maximumConcurrency: 5 },
  });
  // The next run of its duty comes anyway; a second try of this one would only overlap it.
  new aws.lambda.FunctionEventInvokeConfig("OutboxRetries", {
    functionName: outbox.name,
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: 60,
    destinationConfig: { onFailure: { destination: to.dead.outbox.arn } },
  });
}
