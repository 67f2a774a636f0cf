/** The doorbell: the table's stream, and a queue of the rings that failed. */
import { secondsOf } from "./functions.ts";
import type { Here } from "./here.ts";
import { deadLetters, queue, queuePolicy } from "./queue.ts";

export interface Rings {
  readonly rings: aws.sqs.Queue;
  /** What nobody could answer: batches of the stream, and rings. */
  readonly dead: Readonly<Record<"doorbell" | "rings", aws.sqs.Queue>>;
}

/**
 * What core's `ringFor` may answer to. An item's data is one string in the stream, so the filter sees its type only; items
 * of all other types, pulses above all, cost no call.
 */
const filter = {
  eventName: ["INSERT", "MODIFY"],
  dynamodb: { NewImage: { type: { S: ["event", "job", "array", "follow", "sweep", "deadletter"] } } },
};

export function rings(at: Here): Rings {
  const lost = deadLetters(at, "DoorbellDead", "doorbell");
  const dead = deadLetters(at, "RingsDead", "rings");
  // AWS asks for six times the time of the function that reads.
  const made = queue(at, "Rings", at.names.rings, dead, 6 * secondsOf("doorbell"));
  queuePolicy("DoorbellDeadPolicy", lost);
  queuePolicy("RingsDeadPolicy", dead);
  queuePolicy("RingsPolicy", made);
  return { rings: made, dead: { doorbell: lost, rings: dead } };
}

export function listen(doorbell: sst.aws.Function, table: sst.aws.Dynamo, to: Rings): void {
  new aws.lambda.EventSourceMapping("DoorbellStream", {
    eventSourceArn: table.nodes.table.streamArn,
    functionName: doorbell.arn,
    // From the beginning: what is written while this is being made rings too.
    startingPosition: "TRIM_HORIZON",
    // Many: several changes of one thing are one ring, and of one workspace only so many are answered there.
    batchSize: 100,
    parallelizationFactor: 4,
    bisectBatchOnFunctionError: true,
    functionResponseTypes: ["ReportBatchItemFailures"],
    maximumRetryAttempts: 3,
    // An hour later polls and deadlines have long done what a ring would.
    maximumRecordAgeInSeconds: 3600,
    destinationConfig: { onFailure: { destinationArn: to.dead.doorbell.arn } },
    filterCriteria: { filters: [{ pattern: JSON.stringify(filter) }] },
  });
  new aws.lambda.EventSourceMapping("DoorbellRings", {
    eventSourceArn: to.rings.arn,
    functionName: doorbell.arn,
    batchSize: 10,
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: { maximumConcurrency: 5 },
  });
}
